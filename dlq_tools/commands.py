"""`crossdock dlq`: its table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import typer

from hub.cli.lazy import Entry, LazyGroup


class Commands(LazyGroup):
    """What can be done with dead letters, in the order in which the help shows it."""

    entries: ClassVar[Mapping[str, Entry]] = {
        "stats": Entry(
            "dlq_tools.listing:stats", "Count what is open by cause, the largest group first."
        ),
        "list": Entry(
            "dlq_tools.listing:list_letters",
            "List dead letters, the oldest first: 100 unless --limit says otherwise.",
        ),
        "show": Entry(
            "dlq_tools.listing:show",
            "Show one dead letter: its error, every attempt, what is related, what waits behind it.",
        ),
        "plan": Entry(
            "dlq_tools.planned:plan",
            "Say what a replay would meet, without doing it: asks the target, tries the mapping.",
        ),
        "diff": Entry(
            "dlq_tools.planned:diff_letter",
            "Show with values what differs: sent before and now, here and at the target, before an edit.",
        ),
        "replay": Entry(
            "dlq_tools.replaying:replay_letters",
            "Let dead letters go again as a job, the oldest first, one of each business key at a time.",
        ),
        "status": Entry(
            "dlq_tools.replaying:status",
            "Say how replay jobs stand: the newest ones, or one with the outcome of each letter.",
        ),
        "cancel": Entry(
            "dlq_tools.replaying:cancel",
            "End a replay job: nothing more of it begins; what is not on its way is open again.",
        ),
        "edit": Entry(
            "dlq_tools.editing:edit_letter",
            "Correct the document of a dead letter: in an editor, by a JSON Patch, or as a file.",
        ),
        "approve": Entry(
            "dlq_tools.approving:approve",
            "Let a replay job or a correction go that needs a second person, or refuse it.",
        ),
        "archive": Entry(
            "dlq_tools.acts:archive",
            "Give dead letters up: nothing is deleted, and what waited behind them goes on.",
        ),
        "restore": Entry(
            "dlq_tools.acts:restore",
            "Open archived letters again, unless a later version has gone to the target since.",
        ),
        "purge": Entry(
            "dlq_tools.acts:purge",
            "Delete archived letters whose retention (`dead_letters.retention_days`) is over.",
        ),
        "export": Entry(
            "dlq_tools.exporting:export_letters",
            "Write letters as JSON lines or CSV: ids, causes, counts and money, never a document.",
        ),
    }


app = typer.Typer(
    cls=Commands,
    help="Dead letters: count, list, show, plan, edit, replay, archive, restore, purge, export.",
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """Make `dlq` a group: Typer does not count commands that it has not seen."""
