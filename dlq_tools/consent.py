"""Being sure that a person means it, before anything is changed.

Codes: ``selection_missing`` (nothing was chosen: that would be all of them),
``confirmation_missing`` (nobody can be asked), ``not_confirmed``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canonical.errors import Rejected


@dataclass(frozen=True, slots=True)
class Consent:
    """How a command was given, and how to ask."""

    yes: bool
    dry_run: bool
    interactive: bool
    """Somebody sits at the other end."""
    ask: Callable[[str], bool]

    def check_selection(self, *, narrow: bool) -> None:
        """Refuse to act on all letters unless that was said.

        Raises:
            Rejected: ``selection_missing``.
        """
        if not (narrow or self.yes or self.dry_run):
            detail = "give ids or a filter, or --yes for all of them"
            raise Rejected("selection_missing", "", detail)

    def check(self, question: str) -> None:
        """Return if the answer is yes.

        Raises:
            Rejected: ``confirmation_missing`` or ``not_confirmed``.
        """
        if self.yes or self.dry_run:
            return
        if not self.interactive:
            raise Rejected("confirmation_missing", "", "give --yes where nobody can be asked")
        if not self.ask(question):
            raise Rejected("not_confirmed", "", "nothing was done")
