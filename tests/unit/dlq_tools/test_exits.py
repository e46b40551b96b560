"""The exit code of an action on many letters."""

from __future__ import annotations

import pytest

from dlq_tools.exits import exit_of
from hub.cli.exits import Exit


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["replayed", "replayed"], Exit.OK),
        (["replaying"], Exit.OK),
        (["archived", "restored"], Exit.OK),
        (["would_replay"], Exit.OK),
        (["refused", "refused"], Exit.REFUSED),
        (["failed_again"], Exit.FAILURE),
        (["failed_again", "not_done"], Exit.FAILURE),
        (["replayed", "failed_again"], Exit.PARTLY_DONE),
        (["replaying", "refused"], Exit.PARTLY_DONE),
        (["would_replay", "refused"], Exit.PARTLY_DONE),
        (["refused", "failed_again"], Exit.PARTLY_DONE),
        (["under_way"], Exit.PARTLY_DONE),
    ],
)
def test_the_exit_code_says_how_much_was_done(outcomes: list[str], code: Exit) -> None:
    assert exit_of(outcomes) is code
