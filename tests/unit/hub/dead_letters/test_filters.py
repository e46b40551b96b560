"""What filters choose, before any ledger is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from canonical.errors import Rejected
from hub.dead_letters.filters import Filters, Stage, State, conditions

NOW = datetime(2026, 5, 5, 10, tzinfo=UTC)


def sql(filters: Filters) -> str:
    return str(sa.and_(*conditions(filters)).compile(compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize(
    "filters",
    [
        Filters(ids=("0123456789ab",)),
        Filters(group="0123456789abcdef"),
        Filters(partner="acme"),
        Filters(doc="order"),
        Filters(key="PO-1"),
        Filters(error="customer_unknown"),
        Filters(stage=Stage.MAP),
        Filters(target="bc"),
        Filters(since=NOW),
        Filters(until=NOW),
    ],
)
def test_any_filter_narrows(filters: Filters) -> None:
    assert filters.narrow


@pytest.mark.parametrize("filters", [Filters(), Filters(limit=1), Filters(state=State.ALL)])
def test_a_state_or_a_limit_alone_does_not_choose(filters: Filters) -> None:
    assert not filters.narrow


def test_states_are_the_usual_ones_unless_they_are_named() -> None:
    usual = (State.OPEN,)
    assert Filters().states(usual) == ("open",)
    assert Filters(state=State.ARCHIVED).states(usual) == ("archived",)
    everything = ("open", "replaying", "replayed", "archived")
    assert Filters(state=State.ALL).states(usual) == everything


def test_a_letter_that_is_named_is_found_in_any_state_unless_one_is_named_too() -> None:
    named = ("0123456789ab",)
    assert len(Filters(ids=named).states((State.OPEN,))) == 4
    assert Filters(ids=named, state=State.OPEN).states((State.OPEN,)) == ("open",)


def test_all_filters_together_must_fit() -> None:
    text = sql(Filters(partner="acme", doc="order", error="x", stage=Stage.DELIVER, target="bc"))
    for part in ("partner = 'acme'", "entity = 'order'", "code = 'x'", "stage = 'deliver'"):
        assert part in text
    assert text.count(" AND ") == 4


def test_both_ends_of_a_time_span_belong_to_it() -> None:
    columns = [
        (str(each.left), each.operator)
        for each in conditions(Filters(since=NOW, until=NOW))
        if isinstance(each, sa.BinaryExpression)
    ]
    assert [(name, operator.__name__) for name, operator in columns] == [
        ("dead_letter.opened_at", "ge"),
        ("dead_letter.opened_at", "le"),
    ]


def test_a_key_is_a_business_key_a_number_or_our_reference() -> None:
    text = sql(Filters(key="PO-1"))
    for column in ("dead_letter.business_key", "document.number", "document.reference"):
        assert f"{column} = 'PO-1'" in text


def test_wildcards_in_a_group_are_ordinary_characters() -> None:
    assert "ESCAPE" in sql(Filters(group="%%%%%%%%"))


def test_a_group_that_is_too_short_to_name_one_is_refused() -> None:
    with pytest.raises(Rejected, match="id_too_short"):
        conditions(Filters(group="ab"))


def test_filters_are_kept_as_json_and_read_back() -> None:
    since = datetime(2026, 5, 5, tzinfo=UTC)
    given = Filters(ids=("a" * 8,), stage=Stage.MAP, since=since, replayed=False, limit=3)
    assert Filters.of_json(json.loads(json.dumps(given.as_json()))) == given
    assert Filters.of_json({}) == Filters()
