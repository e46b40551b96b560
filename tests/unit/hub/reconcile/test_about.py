"""What a finding is about, in numbers that people know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.reconcile import acknowledgement_overdue
from hub.reconcile.about import about

NOW = datetime(2026, 5, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("subject", "details", "told"),
    [
        ("effect/bc/create_order/7f0c-1", {"target": "bc", "action": "create_order"}, "create_order at bc of XD1"),
        ("hold/7f0c-1", {"number": "PO-7", "from": "acme-edi"}, "PO-7 from acme-edi"),
        ("interchange/acme-edi/106", {"first": "104", "last": "105"}, "interchanges 104 to 105 of acme-edi"),
        ("order/acme/PO-1/", {"ordered": "3"}, "order/acme/PO-1/"),
        ("hold/7f0c-1", {}, "hold/7f0c-1"),
        ("sent/7f0c-1/acme-edi/send", {"flow": "856", "document": "", "to": "acme-edi"}, "sent/7f0c-1/acme-edi/send"),
    ],
)  # fmt: skip
def test_an_id_is_told_as_numbers_that_people_know(
    subject: str, details: dict[str, Any], told: str
) -> None:
    assert about({"subject": subject, "details": details, "reference": "XD1"}) == told


def test_what_nobody_acknowledged_is_told_by_its_number() -> None:
    out = acknowledgement_overdue.SentOut(
        "7f0c-1", "harbor-edi", "send", "856", "d-1", timedelta(hours=4),
        sent_at=(NOW - timedelta(days=1),), number="SH-1",
    )  # fmt: skip
    (found,) = acknowledgement_overdue.find([out], NOW)
    row = {"subject": found.subject, "details": found.details, "reference": None}
    assert about(row) == "856 SH-1 to harbor-edi"
