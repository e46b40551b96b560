"""Counting what other mappings change: by partner and field, a document once a field."""

from __future__ import annotations

from typing import Any

import orjson

from canonical.errors import Rejected
from hub.mapping_changes.tally import Tally
from hub.workers.jobs import Failed, Normalized, NormalizeResult


def made(document: dict[str, Any], position: int = 0) -> Normalized:
    text = orjson.dumps(document)
    return Normalized(
        position=position,
        place="ISA 1",
        flow="850",
        control={},
        entity="order",
        canonical_json=text,
        business_key="key",
        content_id="content",
        purpose="original",
        sequence=0,
        number="PO-1",
        reference_number=None,
        buyer_account=None,
        buyer_po=None,
        amount=None,
        currency=None,
        mapping_version="v",
        po_key=None,
    )


def failed(code: str) -> Failed:
    return Failed(0, "ISA 1", "850", "order", "map", Rejected(code, "x", "y"))


def result(*documents: Normalized | Failed) -> NormalizeResult:
    return NormalizeResult(documents)


def counted(before: NormalizeResult, after: NormalizeResult, *, values: bool = False) -> Tally:
    tally = Tally(values=values)
    tally.add("r-1", "acme", before, after)
    return tally


def test_the_same_is_no_change() -> None:
    tally = counted(result(made({"a": "1"})), result(made({"a": "1"})))
    assert (tally.rows(), tally.documents, tally.different) == ([], 1, 0)


def test_a_field_that_differs_on_many_lines_is_one_document() -> None:
    before = made({"lines": [{"n": "1"}, {"n": "2"}]})
    after = made({"lines": [{"n": "3"}, {"n": "4"}]})
    (row,) = counted(result(before), result(after)).rows()
    assert (row["what"], row["where"], row["documents"]) == ("changed", "lines.n", 1)
    assert row["examples"][0] == {"receipt": "r-1", "number": "PO-1", "place": "lines[0].n"}


def test_values_are_shown_only_where_asked_for() -> None:
    pair = result(made({"a": "1"})), result(made({"a": "2"}))
    assert "before" not in counted(*pair).rows()[0]["examples"][0]
    example = counted(*pair, values=True).rows()[0]["examples"][0]
    assert (example["before"], example["after"]) == ('"1"', '"2"')


def test_failures_gained_and_lost_come_first_with_their_code() -> None:
    good, bad, worse = made({"a": "1"}), failed("code_unknown"), failed("date_invalid")
    tally = Tally()
    tally.add("r-1", "acme", result(made({"a": "1"})), result(made({"a": "2"})))
    tally.add("r-2", "acme", result(good), result(bad))
    tally.add("r-3", "acme", result(bad), result(good))
    tally.add("r-4", "acme", result(bad), result(worse))
    tally.add("r-5", "acme", result(bad), result(failed("code_unknown")))
    found = [(row["what"], row["where"]) for row in tally.rows()]
    assert set(found[:3]) == {
        ("failure_gained", "code_unknown"),
        ("failure_lost", "code_unknown"),
        ("failure_other", "code_unknown -> date_invalid"),
    }
    assert found[3] == ("changed", "a")
    assert (tally.documents, tally.different) == (5, 4)


def test_a_document_more_or_less_is_told() -> None:
    one, two = made({"a": "1"}), made({"a": "1"}, position=1)
    assert [row["what"] for row in counted(result(one), result(one, two)).rows()] == ["gained"]
    assert [row["what"] for row in counted(result(one, two), result(one)).rows()] == ["lost"]
