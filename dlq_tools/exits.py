"""The exit code of an action on many letters."""

from __future__ import annotations

from collections.abc import Iterable

from hub.cli.exits import Exit
from hub.dead_letters.outcome import FAILED_AGAIN, NOT_DONE, REFUSED, UNDER_WAY
from hub.dead_letters.runner import SKIPPED
from hub.ledger.replays import CANCELLED, NOT_BEGUN

_BAD = {
    REFUSED, FAILED_AGAIN, NOT_DONE, UNDER_WAY, SKIPPED, NOT_BEGUN, CANCELLED, "waiting", "begun",
}  # fmt: skip


def exit_of(outcomes: Iterable[str]) -> Exit:
    """Return the exit code: all well, all refused, all failed, or partly done."""
    kinds = set(outcomes)
    bad = kinds & _BAD
    if not bad:
        return Exit.OK
    if kinds == {REFUSED}:
        return Exit.REFUSED
    if kinds <= {FAILED_AGAIN, NOT_DONE, SKIPPED, NOT_BEGUN}:
        return Exit.FAILURE
    return Exit.PARTLY_DONE
