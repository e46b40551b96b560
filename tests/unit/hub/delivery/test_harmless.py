"""Text from targets is made fit for the ledger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.base import Settled
from hub.delivery import harmless


@given(st.text(alphabet=st.characters(codec=None)))
def test_whatever_a_target_says_can_be_stored(said: str) -> None:
    kept = harmless.text(said)
    assert "\0" not in kept
    assert kept.encode() or not said
    assert len(kept) <= 500


def test_ordinary_text_is_left_as_it_is() -> None:
    assert harmless.text("SO-1042 äß 東") == "SO-1042 äß 東"


def test_facts_are_bounded_in_number_and_size() -> None:
    kept = harmless.settled(Settled("x" * 9999, {f"k{i}": "v" * 9999 for i in range(99)}))
    assert len(kept.external_id) == 500
    assert len(kept.facts) == 20
    assert all(len(value) == 500 for value in kept.facts.values())


def test_errors_keep_their_three_parts() -> None:
    why = harmless.why_of(Rejected("unit_unknown", "lines[3]", "expected\0 a unit"))
    assert (why.code, why.place, why.detail) == ("unit_unknown", "lines[3]", "expected? a unit")


def test_what_a_target_said_loses_what_we_had_sent_even_in_its_own_words() -> None:
    error = Rejected("refused").saying("HTTP 400: General Order company is blocked")
    sent = {"customer": {"name": "General  Order Company"}, "lines": [{"type": "Item"}]}
    assert harmless.said(error, sent) == "HTTP 400: … is blocked"
    assert harmless.said(error, {}) == error.said
    assert harmless.said(Rejected("refused"), sent) is None
