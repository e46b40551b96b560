"""What worked cases leave out of a mapping."""

from __future__ import annotations

import json
from pathlib import Path

from hub.mapping.cases import read_cases
from hub.mapping.coverage import Coverage, coverage
from hub.mapping.files import read_mapping

TEXT = '{ "po_number": head.number, "lines": [lines.{ "number": no }] /* head.colour */ }'


def covered(tmp_path: Path, *inputs: dict[str, object]) -> Coverage:
    folder = tmp_path / "shop"
    cases = folder / "orders.order.cases"
    cases.mkdir(parents=True)
    (folder / "orders.order.jsonata").write_text(TEXT)
    for index, source in enumerate(inputs):
        expect = {"po_number": "1", "lines": [{"number": "1"}]}
        case = {"why": "x", "input": source, "expect": expect}
        (cases / f"{index}.json").write_text(json.dumps(case))
    file = read_mapping(folder / "orders.order.jsonata", tmp_path)
    return coverage(file, read_cases(file))


def test_a_source_field_that_the_mapping_does_not_name_is_listed(tmp_path: Path) -> None:
    found = covered(
        tmp_path,
        {"head": {"number": "1", "colour": "red"}, "lines": [{"no": "1"}, {"size": "2"}]},
    )
    assert found.unread == ("head.colour", "lines.size")
    assert found.source_fields == 4


def test_what_the_mapping_reads_and_no_case_has_is_listed(tmp_path: Path) -> None:
    found = covered(tmp_path, {"head": {"colour": "red"}, "lines": [{"no": "1"}]})
    assert found.unshown == ("number",)


def test_a_result_that_no_case_makes_is_listed(tmp_path: Path) -> None:
    found = covered(tmp_path, {"head": {"number": "1"}})
    assert "po_number" not in found.unmade
    assert "lines.number" not in found.unmade
    assert {"lines.quantity.value", "ship_to"} <= set(found.unmade)
    assert found.result_fields > len(found.unmade)
