"""The script of what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.misbehaviour import Rule, Script, Seen, rule_from

POST = Seen("business_central", "POST", "/api/v2.0/companies(1)/salesOrders", b'{"x":"XD1"}')


def _rule(**more: Any) -> dict[str, Any]:
    return {"id": "r1", "system": "business_central", "kind": "status", "status": 429} | more


def _script(*rules: dict[str, Any]) -> Script:
    script = Script()
    for rule in rules:
        script.apply({"effect": "misbehaviour_set", "rule": rule})
    return script


def _play(script: Script, seen: Seen) -> Rule | None:
    rule = script.find(seen)
    if rule is not None:
        script.apply({"effect": "misbehaviour_played", "rule_id": rule.id})
    return rule


def test_rules_play_in_order_and_are_used_up() -> None:
    script = _script(_rule(times=2), _rule(id="r2", kind="slow"))
    played = [_play(script, POST) for _ in range(4)]
    assert [rule.kind if rule else None for rule in played] == ["status", "status", "slow", None]


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"path_contains": "salesOrders"}, True),
        ({"path_contains": "items"}, False),
        ({"reference": "XD1"}, True),
        ({"reference": "XD2"}, False),
        ({"system": "entra"}, False),
        ({"kind": "lose_invoice"}, False),
    ],
)
def test_a_rule_plays_only_where_it_is_meant_to(match: dict[str, Any], matches: bool) -> None:  # noqa: FBT001
    assert (_script(_rule(**match)).find(POST) is not None) is matches


def test_a_reference_is_also_found_through_the_order_that_the_path_names() -> None:
    by_id = Seen("business_central", "POST", "/x(1)/Microsoft.NAV.shipAndInvoice", b"", {"XD7"})
    script = _script(_rule(kind="lose_invoice", reference="XD7"))
    assert script.find(by_id) is not None


def test_a_script_can_be_cleared() -> None:
    script = _script(_rule())
    script.apply({"effect": "misbehaviour_cleared"})
    assert script.find(POST) is None


def test_a_rule_reads_back_from_the_journal_with_its_defaults() -> None:
    rule = rule_from(_rule(retry_after=1, delay_seconds=2))
    assert (rule.retry_after, rule.delay_seconds, rule.times, rule.applies) == (1.0, 2.0, 1, False)
