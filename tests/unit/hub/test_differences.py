"""What counts as different, field by field and line by line."""

from __future__ import annotations

from typing import Any

import pytest

from hub.differences import between, beyond

SENT: dict[str, Any] = {
    "number": "XD1",
    "lines": [{"item": "A-1", "quantity": "2", "price": "10.50"}, {"item": "B", "quantity": "1"}],
}


def there(**changes: Any) -> dict[str, Any]:
    first = {"item": "a-1 ", "quantity": 2.0, "price": 10.5, "id": "77"} | changes
    return {"number": "XD1", "id": "9", "lines": [first, {"item": "B", "quantity": 1}]}


def test_what_the_target_writes_in_its_own_way_or_adds_is_no_difference() -> None:
    assert beyond(SENT, there()) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"quantity": 3}, "lines[0].quantity"), ({"item": "A-2"}, "lines[0].item")],
)
def test_other_values_are_named_by_their_place(changes: dict[str, Any], where: str) -> None:
    (found,) = beyond(SENT, there(**changes))
    assert found.where == where


def test_missing_fields_and_lines_are_differences() -> None:
    found = beyond(SENT, {"number": "XD1", "lines": [SENT["lines"][0]]})
    assert [(each.where, each.right) for each in found] == [("lines[1]", None)]
    extra = {"number": "XD1", "lines": [*SENT["lines"], {"item": "C"}]}
    assert [(each.where, each.left) for each in beyond(SENT, extra)] == [("lines[2]", None)]
    assert [each.where for each in beyond({"a": "1"}, {})] == ["a"]


def test_json_is_compared_field_by_field() -> None:
    (found,) = between(b'{"a": [1, {"b": "x"}]}', b'{"a": [1, {"b": "y"}]}')
    assert (found.where, found.left, found.right) == ("a[1].b", "x", "y")


def test_an_interchange_is_compared_segment_by_segment() -> None:
    head = "ISA" + "*" * 102 + "~"
    left, right = f"{head}PO1*1*2*EA~CTT*1~", f"{head}PO1*1*3*EA~CTT*1~"
    (found,) = between(left.encode(), right.encode())
    assert (found.left, found.right) == ("PO1*1*2*EA", "PO1*1*3*EA")


def test_long_values_and_many_differences_are_bounded() -> None:
    found = between(b"[" + b",".join([b'"a"'] * 500) + b"]", b"[]")
    assert len(found) == 200
    (one,) = between(b'{"a": "%s"}' % (b"x" * 999), b'{"a": "y"}')
    assert one.left is not None
    assert len(one.left) < 210
