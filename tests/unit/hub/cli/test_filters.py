"""Filters of lists: a word that is misspelt is refused, so that nobody takes it for all clear."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dlq_tools.main import build
from hub.ledger.account import _DISPOSITIONS
from hub.ledger.dead_letters import SUPERSEDED
from hub.ledger.document_words import DocumentState


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("reconcile report --state opne", "'open'"),
        ("reconcile report --job price-drfit", "did you mean price-drift?"),
        ("reconcile report --job nosuch", "expected one of: ship-not-invoiced"),
        ("documents --state hled", "'held'"),
        ("documents --entity ordre", "did you mean order?"),
        ("dlq list --doc ordre", "did you mean order?"),
    ],
)
def test_a_misspelt_word_is_a_mistake_of_use(command: str, said: str) -> None:
    done = CliRunner().invoke(build(), command.split(), env={"COLUMNS": "1000"})
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_every_state_that_a_document_can_have_can_be_asked_for() -> None:
    assert {each.value for each in DocumentState} == {*_DISPOSITIONS, SUPERSEDED}
