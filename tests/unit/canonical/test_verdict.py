"""The verdict table of DESIGN section 5, row by row, and its laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.base import Purpose
from canonical.verdict import Known, Verdict, judge

KNOWN = Known(sequence=5, current="now", contents=frozenset({"first", "now"}))
PARKED = Known(sequence=0, current="", contents=frozenset({"parked"}))
PURPOSES: tuple[Purpose, ...] = ("original", "change", "replace", "cancel", "state")
CHANGES: tuple[Purpose, ...] = ("change", "replace", "cancel")


@pytest.mark.parametrize(
    ("known", "says", "has_twin", "verdict"),
    [
        # new key, new content, original
        (None, ("new", "original", 0), False, Verdict.ACCEPT),
        # same key, same content, any purpose
        (KNOWN, ("now", "original", 0), False, Verdict.DUPLICATE),
        (KNOWN, ("first", "original", 0), False, Verdict.DUPLICATE),
        (KNOWN, ("now", "change", 9), False, Verdict.DUPLICATE),
        (KNOWN, ("first", "replace", 9), False, Verdict.DUPLICATE),
        (KNOWN, ("now", "cancel", 9), False, Verdict.DUPLICATE),
        (KNOWN, ("now", "state", 9), False, Verdict.DUPLICATE),
        # same key, different content, a change with a newer sequence
        (KNOWN, ("new", "change", 6), False, Verdict.CHANGE),
        (KNOWN, ("new", "replace", 6), False, Verdict.CHANGE),
        (KNOWN, ("new", "cancel", 6), False, Verdict.CHANGE),
        # same key, different content, original again
        (KNOWN, ("new", "original", 0), False, Verdict.CONFLICT),
        (KNOWN, ("new", "original", 9), False, Verdict.CONFLICT),
        # same key, different content, a change with an older sequence, or the same, or none
        (KNOWN, ("new", "replace", 4), False, Verdict.STALE),
        (KNOWN, ("new", "change", 5), False, Verdict.CONFLICT),
        (KNOWN, ("new", "cancel", 5), False, Verdict.CONFLICT),
        (KNOWN, ("new", "change", 0), False, Verdict.CHANGE),
        (KNOWN, ("new", "cancel", 0), False, Verdict.CHANGE),
        # unknown key, change or cancel
        (None, ("new", "change", 1), False, Verdict.ORPHAN),
        (None, ("new", "replace", 1), False, Verdict.ORPHAN),
        (None, ("new", "cancel", 1), False, Verdict.ORPHAN),
        # a change that waits for its original already, and another one
        (PARKED, ("parked", "change", 1), False, Verdict.DUPLICATE),
        (PARKED, ("parked", "cancel", 1), True, Verdict.DUPLICATE),
        (PARKED, ("new", "change", 2), False, Verdict.ORPHAN),
        # the original comes while changes wait for it
        (PARKED, ("new", "original", 0), False, Verdict.ACCEPT),
        (PARKED, ("parked", "original", 0), False, Verdict.ACCEPT),
        (PARKED, ("new", "original", 0), True, Verdict.TWIN),
        # different key, same content or same purchase, original
        (None, ("new", "original", 0), True, Verdict.TWIN),
        # a twin is looked for among originals of new keys only
        (None, ("new", "cancel", 1), True, Verdict.ORPHAN),
        (None, ("new", "state", 1), True, Verdict.ACCEPT),
        (KNOWN, ("now", "original", 0), True, Verdict.DUPLICATE),
        (KNOWN, ("new", "original", 0), True, Verdict.CONFLICT),
        # snapshots: the newest counts, a tie goes to the later arrival
        (None, ("new", "state", 0), False, Verdict.ACCEPT),
        (KNOWN, ("new", "state", 6), False, Verdict.CHANGE),
        (KNOWN, ("new", "state", 5), False, Verdict.CHANGE),
        (KNOWN, ("new", "state", 4), False, Verdict.STALE),
        # a snapshot may return to what it was: only the version in force makes a duplicate
        (KNOWN, ("first", "state", 6), False, Verdict.CHANGE),
        (KNOWN, ("first", "state", 4), False, Verdict.STALE),
    ],
)
def test_the_table(
    *, known: Known | None, says: tuple[str, Purpose, int], has_twin: bool, verdict: Verdict
) -> None:
    content, purpose, sequence = says
    judged = judge(
        known=known, content=content, purpose=purpose, sequence=sequence, has_twin=has_twin
    )
    assert judged is verdict


contents = st.sampled_from(["first", "now", "old", "new", "newer"])
sequences = st.integers(min_value=0, max_value=8)
histories = st.builds(
    lambda sequence, current, older: Known(sequence, current, frozenset({current, *older})),
    sequences,
    contents,
    st.sets(contents),
)


@given(
    known=st.none() | histories,
    content=contents,
    purpose=st.sampled_from(PURPOSES),
    sequence=sequences,
    has_twin=st.booleans(),
)
def test_every_combination_has_the_verdict_that_the_words_of_the_table_give(
    *, known: Known | None, content: str, purpose: Purpose, sequence: int, has_twin: bool
) -> None:
    verdict = judge(
        known=known, content=content, purpose=purpose, sequence=sequence, has_twin=has_twin
    )
    if known is None:
        expected = {
            Verdict.ORPHAN: purpose in CHANGES,
            Verdict.TWIN: purpose == "original" and has_twin,
            Verdict.ACCEPT: purpose not in CHANGES and not (purpose == "original" and has_twin),
        }
    else:
        same = content == known.current if purpose == "state" else content in known.contents
        state, original = purpose == "state", purpose == "original"
        unnumbered = purpose in CHANGES and not sequence
        tie = sequence == known.sequence and not unnumbered
        newer = sequence > known.sequence or unnumbered or (state and tie)
        conflict = original or (purpose in CHANGES and tie)
        expected = {
            Verdict.DUPLICATE: same,
            Verdict.CONFLICT: not same and conflict,
            Verdict.CHANGE: not same and not conflict and newer,
            Verdict.STALE: not same and not conflict and not newer,
        }
    assert [v for v, holds in expected.items() if holds] == [verdict]


@given(st.permutations([(1, "one"), (2, "two"), (3, "three")]))
def test_snapshots_in_any_order_end_in_the_newest(order: list[tuple[int, str]]) -> None:
    known: Known | None = None
    for sequence, content in order:
        verdict = judge(
            known=known, content=content, purpose="state", sequence=sequence, has_twin=False
        )
        if verdict in (Verdict.ACCEPT, Verdict.CHANGE):
            older = known.contents if known else frozenset[str]()
            known = Known(sequence, content, older | {content})
    assert known is not None
    assert known.current == "three"
