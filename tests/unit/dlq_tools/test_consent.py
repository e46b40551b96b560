"""Nothing is changed unless somebody means it."""

from __future__ import annotations

from typing import Any

import pytest

from canonical.errors import Rejected
from dlq_tools.consent import Consent


def consent(*, answer: bool = True, **changes: Any) -> Consent:
    given = {"yes": False, "dry_run": False, "interactive": True} | changes
    return Consent(**given, ask=lambda _: answer)


def test_on_a_terminal_it_asks() -> None:
    consent(answer=True).check("replay 3 dead letters?")
    with pytest.raises(Rejected, match="not_confirmed"):
        consent(answer=False).check("replay 3 dead letters?")


def test_where_nobody_can_be_asked_it_refuses() -> None:
    with pytest.raises(Rejected, match="confirmation_missing"):
        consent(interactive=False).check("?")


@pytest.mark.parametrize("given", [{"yes": True}, {"dry_run": True}])
def test_yes_and_a_dry_run_need_no_answer(given: dict[str, bool]) -> None:
    consent(answer=False, interactive=False, **given).check("?")


def test_all_of_them_is_never_meant_by_saying_nothing() -> None:
    with pytest.raises(Rejected, match="selection_missing"):
        consent().check_selection(narrow=False)


@pytest.mark.parametrize("given", [{"yes": True}, {"dry_run": True}])
def test_all_of_them_may_be_said(given: dict[str, bool]) -> None:
    consent(**given).check_selection(narrow=False)
    consent().check_selection(narrow=True)
