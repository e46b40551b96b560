"""Queries and paging over a collection."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox import schema
from sandbox.company import Collection
from sandbox.json_text import Row
from sandbox.odata import ODataError
from sandbox.query import PageOfRows, next_link, parse, run


@pytest.fixture
def rows() -> Collection:
    found = Collection(schema.ITEM, ("number",))
    for number in range(25):
        found.put({"id": f"id-{number:02d}", "number": f"N{number:02d}", "inventory": number % 3})
    return found


def _run(rows: Collection, size: int = 10, /, **parameters: str) -> PageOfRows:
    named = {f"${name}": value for name, value in parameters.items()}
    return run(parse(named, rows.entity, frozenset()), rows, size)


def _all_pages(rows: Collection, size: int, **parameters: str) -> list[str]:
    numbers: list[str] = []
    while True:
        page = _run(rows, size, **parameters)
        numbers += [row["number"] for row in page.rows]
        if page.token is None:
            return numbers
        link = next_link("http://x/items", {f"${k}": v for k, v in parameters.items()}, page)
        query = parse_qs(urlsplit(link).query)
        parameters = {name.removeprefix("$"): values[0] for name, values in query.items()}


def test_pages_cover_every_row_once_in_the_order_of_the_key(rows: Collection) -> None:
    assert _all_pages(rows, 7) == [f"N{number:02d}" for number in range(25)]


def test_pages_keep_a_mixed_order(rows: Collection) -> None:
    in_one = _all_pages(rows, 100, orderby="inventory desc,number")
    assert _all_pages(rows, 4, orderby="inventory desc,number") == in_one
    assert in_one[:2] == ["N02", "N05"]


def test_top_counts_over_all_pages_and_skip_once(rows: Collection) -> None:
    assert _all_pages(rows, 4, top="9", skip="3") == [f"N{number:02d}" for number in range(3, 12)]


def test_a_filter_goes_on_over_pages(rows: Collection) -> None:
    assert _all_pages(rows, 2, filter="inventory eq 0") == [f"N{n:02d}" for n in range(0, 25, 3)]


def test_a_row_inserted_between_two_pages_does_not_shift_them(rows: Collection) -> None:
    first = _run(rows, 10)
    rows.put({"id": "id-new", "number": "N00a"})
    token = first.token
    assert token is not None
    second = _run(rows, 10, skiptoken=token)
    assert second.rows[0]["number"] == "N10"


def test_count_tells_all_matches(rows: Collection) -> None:
    assert _run(rows, 2, filter="inventory eq 1", count="true").total == 8


def test_an_index_answers_without_a_scan(rows: Collection) -> None:
    candidates = rows.candidates({"number": "N03"})
    assert [row["number"] for row in candidates] == ["N03"]
    rows.put({"id": "id-03", "number": "M03"})
    assert rows.candidates({"number": "N03"}) == []
    assert rows.find(number="M03")[0]["id"] == "id-03"


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"top": "x"}, 400),
        ({"top": "20001"}, 413),
        ({"skip": "-1"}, 400),
        ({"orderby": "number sideways"}, 400),
        ({"orderby": "nothing"}, 400),
        ({"select": "nothing"}, 400),
        ({"expand": "lines"}, 400),
        ({"apply": "x"}, 400),
        ({"skiptoken": "WzFd"}, 400),
        ({"skiptoken": "WzEsMl0"}, 400),
    ],
)
def test_a_wrong_query_is_refused(
    rows: Collection, parameters: dict[str, str], status: int
) -> None:
    with pytest.raises(ODataError) as refusal:
        _run(rows, 10, **parameters)
    assert refusal.value.status == status


def test_expand_understands_select_inside() -> None:
    query = parse(
        {"$expand": "salesOrderLines($select=id,quantity)"},
        schema.SALES_ORDER,
        frozenset({"salesOrderLines"}),
    )
    assert query.expand == {"salesOrderLines": frozenset({"id", "quantity"})}
    with pytest.raises(ODataError, match="inside"):
        parse(
            {"$expand": "salesOrderLines($filter=a eq 1)"},
            schema.SALES_ORDER,
            frozenset({"salesOrderLines"}),
        )


def test_an_etag_changes_with_every_version() -> None:
    row: Row = {"id": "a-b", "version": 1}
    assert schema.etag(row) != schema.etag(row | {"version": 2})
    assert schema.etag(row).startswith('W/"')
