"""A seed is a schedule, and a history is one too: whatever broke can be done again."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tests.faults.journal import Journal
from tests.faults.run import Plan, plan_row, planned
from tests.faults.schedule import COMPONENTS, HUBS, NOT_HERE, PLACES, schedule, strike_from

ROUND = 60


def test_the_same_seed_gives_the_same_strikes_and_another_seed_others() -> None:
    first, same, other = (list(islice(schedule(seed), ROUND)) for seed in (7, 7, 8))
    assert first == same
    assert first != other


def test_no_component_and_no_place_is_left_out_of_a_round() -> None:
    strikes = list(islice(schedule(3), ROUND))
    places = {str(one.detail).partition(":")[0] for one in strikes if one.kind == "failpoint"}
    assert places == set(PLACES) - set(NOT_HERE)
    assert {one.subject for one in strikes if one.kind == "kill"} == set(COMPONENTS)
    assert {one.subject for one in strikes if one.kind == "term"} == set(HUBS)


def test_a_history_tells_all_that_is_needed_to_do_it_again(tmp_path: Path) -> None:
    plan, strikes = Plan(seed=9, documents=10, kills=2, seconds=5), list(islice(schedule(9), ROUND))
    history = Journal(tmp_path / "history.jsonl")
    history.append(seed=9, commit="abc", plan=plan_row(plan))
    history.append(deserted="hub-a", status=1)
    for strike in strikes:
        history.append(strike=strike.row(), outcome="done")
    history.close()
    assert planned(history.path) == (plan, strikes)


def test_what_a_history_keeps_is_the_strike_itself() -> None:
    for strike in islice(schedule(5), ROUND):
        assert strike_from(strike.row()) == strike
