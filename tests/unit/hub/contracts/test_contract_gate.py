"""The gate: which partners a change breaks, which results are believed, what may be deployed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from canonical.errors import ConfigError
from connectors.registry import CONNECTORS
from hub.contracts.gate import Change, compare, matrix
from hub.contracts.model import read_contract
from hub.contracts.outcome import Checked
from hub.contracts.results import (
    Results,
    public_key_of,
    read_results,
    results_of,
    write_results,
)
from hub.contracts.verifier import Verifier
from hub.mapping.files import shipped_mappings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TODAY = "2026-03-01"
Check = Callable[[], Checked]


def results(checked: Checked, release: str = "1.0") -> Results:
    return results_of([checked], release, NOW)


def with_mapping(tmp_path: Path, old: str, new: str) -> Verifier:
    """The hub with one line of its 850 mapping changed."""
    mappings = tmp_path / "mappings"
    shutil.copytree(shipped_mappings(), mappings)
    path = mappings / "x12" / "850.order.jsonata"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return Verifier(CONNECTORS, mappings)


def changes(folder: Path, before: Checked, after: Verifier) -> list[Change]:
    now = after.check(read_contract(folder))
    return compare(results(before), results(now, "1.1"), TODAY)


def agreed(folder: Path) -> None:
    """The contract is not pending any more."""
    path = folder / "contract.yaml"
    path.write_text(path.read_text().replace("pending: true", "pending: false"))


DROPPED = (
    '"ordered_on": $parse_date(heading.BEG.BEG05, "CCYYMMDD"),',
    '"ordered_on": "2020-01-01",',
)
LATER = ('"requested_delivery_on": $dated(heading.DTM, "002"),', "")


def test_a_mapping_that_changes_what_counts_breaks_the_contract_by_name(
    tmp_path: Path, folder: Path, check: Check
) -> None:
    agreed(folder)
    (change,) = changes(folder, check(), with_mapping(tmp_path, *DROPPED))
    assert (change.effect, change.contract, change.code) == (
        "breaking",
        "acme-orders",
        "example_broken",
    )
    assert change.where == "a purchase order"
    assert "ordered_on" in change.detail
    assert (change.owner, bool(change.way_out)) == ("edi@acme.example", True)


def test_a_change_of_what_does_not_count_passes(tmp_path: Path, folder: Path, check: Check) -> None:
    agreed(folder)
    (change,) = changes(folder, check(), with_mapping(tmp_path, *LATER))
    assert (change.effect, change.code) == ("additive", "result_changed")


def test_a_pending_contract_breaks_nobody_and_is_told_of_all_the_same(
    tmp_path: Path, folder: Path, check: Check
) -> None:
    (change,) = changes(folder, check(), with_mapping(tmp_path, *DROPPED))
    assert (change.effect, change.code) == ("excused", "example_broken")


def test_a_deprecated_contract_breaks_until_its_day(
    tmp_path: Path, folder: Path, check: Check
) -> None:
    agreed(folder)
    path = folder / "contract.yaml"
    path.write_text(path.read_text().replace("owner:", 'deprecated_on: "2026-03-01"\nowner:'))
    before = check()
    after = with_mapping(tmp_path, *DROPPED).check(read_contract(folder))
    (ended,) = compare(results(before), results(after), "2026-03-01")
    (counting,) = compare(results(before), results(after), "2026-02-28")
    assert (ended.effect, counting.effect) == ("excused", "breaking")


def altered(checked: Checked, entity: str, field: str, words: str | None) -> Results:
    """Results of a hub whose model has a field more or less."""
    made: dict[str, Any] = results(checked)
    if words is None:
        del made["fields"][entity][field]
    else:
        made["fields"][entity][field] = words
    return made


@pytest.mark.parametrize(
    ("field", "words", "codes"),
    [
        ("po_number", None, ["field_removed"]),
        ("lines.quantity.value", None, ["field_removed"]),
        ("notes", None, []),
        ("po_number", "object", ["field_changed"]),
        ("moon", "text", []),
    ],
)
def test_a_field_of_the_model_breaks_those_who_rely_on_it(
    folder: Path, check: Check, field: str, words: str | None, codes: list[str]
) -> None:
    agreed(folder)
    found = compare(results(check()), altered(check(), "order", field, words), TODAY)
    assert [change.code for change in found if change.effect == "breaking"] == codes


def test_a_contract_or_an_example_may_not_just_go(folder: Path, check: Check) -> None:
    agreed(folder)
    before = check()
    fewer = before._replace(outcomes=before.outcomes[:1])
    assert [c.code for c in compare(results(before), results(fewer), TODAY)] == ["example_gone"]
    renewed = fewer._replace(version="2.0")
    assert compare(results(before), results(renewed), TODAY) == []
    nothing = results_of([], "1.1", NOW)
    assert [c.code for c in compare(results(before), nothing, TODAY)] == ["contract_gone"]


def test_the_matrix_says_which_release_can_be_deployed(
    tmp_path: Path, folder: Path, check: Check
) -> None:
    agreed(folder)
    broken = with_mapping(tmp_path, *DROPPED).check(read_contract(folder))
    cells, deployable = matrix([results(check(), "1.0"), results(broken, "1.1")], TODAY)
    assert [(cell.release, cell.state) for cell in cells] == [("1.0", "green"), ("1.1", "red")]
    assert deployable == {"1.0": True, "1.1": False}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, form, plain)
    )
    return path


def test_signed_results_are_read_back_and_believed_by_key(
    tmp_path: Path, check: Check, key: Path
) -> None:
    file, made = tmp_path / "results.json", results(check())
    write_results(file, made, key)
    assert compare(read_results(file, frozenset({public_key_of(key)})), made, TODAY) == []
    with pytest.raises(ConfigError, match="signature_invalid"):
        read_results(file, frozenset({"somebody else"}))


def test_results_changed_after_they_were_signed_are_refused(
    tmp_path: Path, check: Check, key: Path
) -> None:
    file = tmp_path / "results.json"
    write_results(file, results(check()), key)
    file.write_text(file.read_text().replace('"1.0"', '"1.1"', 1))
    with pytest.raises(ConfigError, match="signature_invalid"):
        read_results(file, None)


def test_unsigned_results_are_refused_where_a_signature_is_asked_for(
    tmp_path: Path, check: Check
) -> None:
    file = tmp_path / "results.json"
    write_results(file, results(check()), None)
    assert read_results(file, None)["release"] == "1.0"
    with pytest.raises(ConfigError, match="signature_missing"):
        read_results(file, frozenset())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": 1}', "\x00"])
def test_files_that_are_no_results_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "results.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="results_unreadable"):
        read_results(file, None)
