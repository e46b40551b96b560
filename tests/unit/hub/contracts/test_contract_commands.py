"""`crossdock contract`, `crossdock partner` and the pytest plugin, as a partner uses them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from hub.cli.main import build
from hub.contracts.outcome import Checked
from hub.contracts.report import html, junit

ROOT = Path(__file__).parents[4]
Check = Callable[[], Checked]


def crossdock(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(build(), [str(each) for each in arguments])
    return done.exit_code, done.output


def broken(folder: Path) -> None:
    path = folder / "order.json"
    path.write_text(path.read_text().replace("PO-1001", "PO-1002"))


def agreed(folder: Path) -> None:
    path = folder / "contract.yaml"
    path.write_text(path.read_text().replace("pending: true", "pending: false"))


def test_a_partner_is_taken_on_and_checked(tmp_path: Path) -> None:
    code, said = crossdock("partner", "new", "acme", "--folder", tmp_path / "acme")
    assert (code, len(said.split())) == (0, 5)
    code, said = crossdock("contract", "verify", tmp_path)
    assert (code, "1 contract, 1 holds" in said) == (0, True)
    assert crossdock("partner", "new", "acme", "--folder", tmp_path / "acme")[0] == 1


def test_a_broken_contract_fails_and_a_pending_one_does_not(folder: Path) -> None:
    broken(folder)
    assert crossdock("contract", "verify", folder)[0] == 0
    agreed(folder)
    code, said = crossdock("contract", "verify", folder, "-o", "json")
    assert (code, json.loads(said)["contracts"][0]["state"]) == (1, "red")


def test_the_gate_fails_for_what_a_change_breaks_alone(tmp_path: Path, folder: Path) -> None:
    agreed(folder)
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    assert crossdock("contract", "verify", folder, "--save", before)[0] == 0
    assert crossdock("contract", "verify", folder, "--against", before)[0] == 0
    broken(folder)
    code, said = crossdock("contract", "verify", folder, "--against", before, "--save", after)
    assert (code, "1 breaking" in said) == (1, True)
    assert crossdock("contract", "diff", before, after)[0] == 1
    assert crossdock("contract", "diff", after, after)[0] == 0
    assert crossdock("contract", "matrix", before)[0] == 0
    assert crossdock("contract", "matrix", after)[0] == 1


def test_the_contract_of_the_guide_holds() -> None:
    assert crossdock("contract", "verify", ROOT / "docs" / "partners")[0] == 0


def test_nothing_to_check_is_told_from_success(tmp_path: Path) -> None:
    for command in ("verify", "record"):
        code, said = crossdock("contract", command, tmp_path)
        assert (code, said) == (3, "no contract.yaml here or below\n")


def test_nothing_to_record_is_told(folder: Path) -> None:
    code, said = crossdock("contract", "record", folder)
    assert (code, said) == (3, "no expected file is missing\n")


def test_the_page_for_readers_escapes_what_is_a_partners(folder: Path, check: Check) -> None:
    path = folder / "order.json"
    path.write_text(path.read_text().replace("PO-1001", "<script>alert(1)</script>"))
    page = html([check()])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_junit_names_every_example(folder: Path, check: Check) -> None:
    agreed(folder)
    broken(folder)
    (suite,) = ET.fromstring(junit([check()]))  # noqa: S314  # our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite] == [
        "a purchase order",
        "an order whose line count is wrong",
    ]


@pytest.mark.parametrize(("breaks", "summary"), [(False, "2 passed"), (True, "1 failed, 1 passed")])
def test_pytest_runs_the_examples(folder: Path, breaks: bool, summary: str) -> None:  # noqa: FBT001
    agreed(folder)
    if breaks:
        broken(folder)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "hub.contracts.plugin",
            "-p",
            "no:cacheprovider",
            ".",
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert summary in done.stdout, done.stdout + done.stderr
    assert done.returncode == int(breaks)
    if breaks:
        assert 'order.json: po_number: expected "PO-1002", got "PO-1001"' in done.stdout
        assert "Traceback" not in done.stdout


def test_every_contract_is_checked_and_each_mistake_is_told(tmp_path: Path, folder: Path) -> None:
    second = shutil.copytree(folder, tmp_path / "second")
    third = shutil.copytree(folder, tmp_path / "third")
    path = second / "contract.yaml"
    path.write_text(
        path.read_text()
        .replace("receive: order.edi", "receive: ordr.edi")
        .replace("receive: miscounted.edi", "receive: miscount.edi")
    )
    path = third / "contract.yaml"
    path.write_text(path.read_text().replace("key: acme", "key: Bad Name!"))
    code, said = crossdock("contract", "verify", tmp_path)
    assert (code, "1 contract, 1 holds" in said) == (1, True)
    for name, text, why in (
        ("second", "receive: ordr.edi", "ordr.edi: No such file or directory"),
        ("second", "receive: miscount.edi", "miscount.edi: No such file or directory"),
        ("third", "key: Bad", "key: expected lower case letters, digits, hyphens"),
    ):
        file = tmp_path / name / "contract.yaml"
        line = next(n for n, each in enumerate(file.read_text().splitlines(), 1) if text in each)
        assert f"{file}:{line}: {why}" in said
    kept = tmp_path / "results.json"
    code, said = crossdock("contract", "verify", tmp_path, "--save", kept, "-o", "json")
    assert (code, kept.exists()) == (1, False)


def test_options_that_are_wrong_are_told_with_their_line(folder: Path) -> None:
    path = folder / "contract.yaml"
    path.write_text(path.read_text().replace("partner_qualifier: ZZ", "partner_qualifier: ZZZ"))
    line = next(n for n, each in enumerate(path.read_text().splitlines(), 1) if "ZZZ" in each)
    code, said = crossdock("contract", "verify", folder)
    assert (code, f"options_invalid at {path}:{line}" in said) == (1, True)


def test_a_name_that_no_contract_can_have_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    place = tmp_path / "bad"
    code, said = crossdock("partner", "new", "Bad Name!", "--name", "X", "--folder", place)
    assert (code, place.exists()) == (1, False)
    assert "value_invalid at Bad Name!: expected lower case letters, digits, hyphens" in said
