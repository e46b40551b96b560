"""A target's own list: what is read, and what is refused with its line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from canonical.errors import Rejected
from hub.reconcile.statements import read_statement

HEAD = b"external_id,reference,sha256,amount,currency\n"


def test_csv_and_json_lines_say_the_same() -> None:
    expected = [
        {"external_id": "SO-1", "reference": "XD1", "sha256": "a" * 64, "amount": Decimal("1.50"),
         "currency": "USD"},
        {"external_id": "SO-2", "reference": None, "sha256": None, "amount": None,
         "currency": None},
    ]  # fmt: skip
    assert read_statement(HEAD + b"SO-1,XD1,%s,1.50,USD\nSO-2,,,,\n" % (b"a" * 64)) == expected
    first = b'{"external_id": "SO-1", "reference": "XD1", "sha256": "%s",' % (b"a" * 64)
    lines = first + b' "amount": "1.50", "currency": "USD"}\n\n{"external_id": "SO-2"}'
    assert read_statement(lines) == expected


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "line 1"),
        (b"number\n1\n", "line 1"),
        (b"\xff\xfe", ""),
        (HEAD + b",XD1,,,\n", "line 2"),
        (HEAD + b"A,,,,\nA,,,,\n", "line 3"),
        (HEAD + b"A,,short,,\n", "line 2, sha256"),
        (HEAD + b"A,,,ten,\n", "line 2, amount"),
        (HEAD + b"A,,,NaN,\n", "line 2, amount"),
        (HEAD + b"A,,,1e999999,\n", "line 2, amount"),
        (HEAD + b"A\x1b[2J,,,,\n", "line 2, external_id"),
        (HEAD + b'"A,,,,\n', "line 2"),
        (b'{"external_id": "A"}\n[1]', "line 2"),
        (b'{"external_id": ["A"]}', "line 1, external_id"),
        (b'{"external_id": "A"', "line 1"),
    ],
)
def test_what_is_no_list_is_refused_with_its_line(body: bytes, where: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_statement(body)
    assert (refused.value.code, refused.value.where) == ("statement_invalid", where)
