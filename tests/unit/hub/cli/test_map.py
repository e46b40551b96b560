"""``crossdock map``: exit codes and what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli.map import app
from hub.mapping.files import shipped_mappings

ITEM = '{"number": no, "base_unit": $code("x12_355_to_rec20", unit)}'
CASE: dict[str, Any] = {
    "why": "the plain case",
    "input": {"no": "1896-S", "unit": "EA"},
    "expect": {"number": "1896-S", "base_unit": "EA"},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of mappings with one mapping and one case."""
    cases = tmp_path / "paper" / "card.item.cases"
    cases.mkdir(parents=True)
    (tmp_path / "paper" / "card.item.jsonata").write_text(ITEM)
    (cases / "plain.json").write_text(json.dumps(CASE))
    return tmp_path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_good_cases_end_with_0_and_a_count(root: Path) -> None:
    result = call("test", root)
    assert result.exit_code == 0
    assert "1 cases on 2 engines, 0 failed" in result.stdout


@pytest.mark.parametrize(
    "part",
    ["", "paper", "paper/card.item.jsonata", "paper/card.item.cases", "paper/card.item.cases/plain.json"],
)  # fmt: skip
def test_a_folder_a_mapping_and_a_case_can_be_named(root: Path, part: str) -> None:
    result = call("test", root / part, "--output", "json")
    rows = json.loads(result.stdout)
    assert [row["case"] for row in rows] == ["paper/card.item.cases/plain.json"] * 2
    assert all(row["passed"] for row in rows)


def test_a_failing_case_ends_with_1_and_its_difference(root: Path) -> None:
    bad = CASE | {"expect": {"number": "1900-S", "base_unit": "EA"}}
    (root / "paper" / "card.item.cases" / "bad.json").write_text(json.dumps(bad))
    result = call("test", root, "--output", "json")
    assert result.exit_code == 1
    problems = [row["problems"] for row in json.loads(result.stdout) if not row["passed"]]
    assert problems == [['number: expected "1900-S", got "1896-S"']] * 2


def test_nothing_to_test_ends_with_3(tmp_path: Path) -> None:
    assert call("test", tmp_path).exit_code == 3
    assert call("lint", tmp_path).exit_code == 3


def test_an_unreadable_case_ends_with_1(root: Path) -> None:
    (root / "paper" / "card.item.cases" / "broken.json").write_text("{")
    result = call("test", root)
    assert result.exit_code == 1
    assert "case_unreadable" in result.stderr


def test_a_path_that_does_not_exist_ends_with_2(tmp_path: Path) -> None:
    assert call("lint", tmp_path / "nowhere").exit_code == 2


def test_a_clean_mapping_ends_with_0(root: Path) -> None:
    result = call("lint", root)
    assert result.exit_code == 0
    assert "1 mappings, 0 errors, 0 warnings" in result.stdout


def test_a_faulty_mapping_ends_with_1_and_its_place(root: Path) -> None:
    (root / "paper" / "card.item.jsonata").write_text('{\n  "numbr": no\n}')
    result = call("lint", root, "--output", "json")
    assert result.exit_code == 1
    assert {row["rule"] for row in json.loads(result.stdout)} == {"E2", "E3"}
    places = [row["place"] for row in json.loads(result.stdout)]
    assert all(place.startswith("mappings/paper/card.item.jsonata:2:") for place in places)


def test_a_warning_alone_ends_with_0(root: Path) -> None:
    (root / "paper" / "card.item.jsonata").write_text('{"number": "I" & no, "base_unit": "EA"}')
    result = call("lint", root, "--output", "json")
    assert result.exit_code == 0
    assert [row["rule"] for row in json.loads(result.stdout)] == ["W5"]


def _shipped() -> tuple[str, str, str, Path]:
    """Any shipped inbound mapping with a case that comes through."""
    for case in sorted(shipped_mappings().glob("*/*.cases/*.json")):
        flow, entity = case.parent.name.removesuffix(".cases").split(".")
        if entity == "order" and "expect" in json.loads(case.read_text()):
            return case.parents[1].name, flow, entity, case
    pytest.skip("no shipped order mapping yet")


def test_one_mapping_can_be_tried_on_one_case() -> None:
    system, flow, entity, case = _shipped()
    result = call("run", system, flow, entity, case)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(case.read_text())["expect"]


def test_a_trial_that_is_refused_ends_with_1_and_its_reason(tmp_path: Path) -> None:
    system, flow, entity, _ = _shipped()
    (tmp_path / "empty.json").write_text("{}")
    result = call("run", system, flow, entity, tmp_path / "empty.json", "--output", "json")
    assert result.exit_code == 1
    assert '"error"' in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x21", "850", "order"), "no such system; did you mean `x12`?"),
        (("x12", "851", "order"), "no mapping of the flow 851"),
        (("x12", "850", "ordr"), "no mapping of 850 to or from ordr; did you mean `order`?"),
    ],
)
def test_a_misspelt_mapping_is_told_word_by_word(
    tmp_path: Path, words: tuple[str, str, str], said: str
) -> None:
    (tmp_path / "empty.json").write_text("{}")
    result = call("run", *words, tmp_path / "empty.json")
    assert said in " ".join(result.stderr.split())


def test_a_trial_of_no_mapping_or_no_json_says_so(tmp_path: Path) -> None:
    system, flow, entity, case = _shipped()
    result = call("run", system, "unheard", entity, case)
    assert result.exit_code == 1
    assert "mapping_missing" in result.stderr
    (tmp_path / "bytes").write_bytes(b"ISA*00*")
    result = call("run", system, flow, entity, tmp_path / "bytes")
    assert result.exit_code == 1
    assert "input_unreadable" in result.stderr


def test_a_trial_with_a_connection_needs_the_configuration(tmp_path: Path) -> None:
    system, flow, entity, case = _shipped()
    nowhere = tmp_path / "nowhere.yaml"
    result = call("run", system, flow, entity, case, "--connection", "desk", "--config", nowhere)
    assert result.exit_code == 2
    assert "config_missing" in result.stderr


def test_raw_bytes_are_read_by_the_codec_of_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:1")
    demo = shipped_mappings().parent / "config" / "demo.yaml"
    order = tmp_path / "order.edi"
    order.write_bytes(EDI)
    arguments = ("x12", "850", "order", order, "--connection", "acme-edi", "--config", demo)
    result = call("run", *arguments)
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert made["po_number"] == "4711"
    assert made["buyer"]["customer_number"] == "C10010"


EDI = (
    b"ISA*00*          *00*          *ZZ*ACMEDIST       *ZZ*CROSSDOCK      "
    b"*260302*0930*U*00401*000000001*0*P*>~GS*PO*ACMEDIST*CROSSDOCK*20260302*0930*1*X*004010~"
    b"ST*850*0001~BEG*00*SA*4711**20260302~N1*BY*ACME*92*ACME1~PO1*1*5*EA*10.50**VN*1896-S~"
    b"CTT*1~SE*6*0001~GE*1*1~IEA*1*000000001~"
)
