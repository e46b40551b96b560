"""`crossdock dlq plan` and `diff`: what a replay would meet, and what differs before an edit."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dlq_tools.listing import first, one_more, print_letters, table
from dlq_tools.options import allowed, check_name, choosing
from dlq_tools.planning import planner
from hub.cli.desk import ConfigOption, desk
from hub.cli.exits import run
from hub.cli.output import Output, OutputOption, print_json
from hub.dead_letters import letters
from hub.dead_letters.diff import diff
from hub.dead_letters.filters import Filters, State

_DIFF = ("of", "where", "left", "right")
_PLAN = (
    "id", "stage", "target", "number", "at_target", "same", "different", "external_id", "ask_code", "mapping", "code",
    "where", "detail", "warnings", "waiting",
)  # fmt: skip


@choosing
def plan(chosen: Filters, config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Say what a replay would meet, without doing it: asks the target, tries the mapping.

    The 100 oldest, unless --limit says otherwise. The mappings are those on disk now; a running hub uses those that it started with.
    """

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at:
            async with at.engine.connect() as ledger:
                rows = await letters.listing(ledger, one_more(chosen), (State.OPEN,))
            if not rows:
                return []
            async with planner(at) as plans:
                return [(await plans.plan(row)).row() for row in first(rows, chosen)]

    print_letters(run(work()), _PLAN, output)


def diff_letter(
    name: Annotated[str, typer.Argument(help="The letter's id, or its first 8 characters.")],
    *,
    config: ConfigOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show with values what differs: sent before and now, here and at the target, before an edit.

    Values are the document's own and may be personal data.
    """
    check_name("ID", name)

    async def work() -> list[dict[str, Any]]:
        async with desk(config) as at:
            allowed(at.site, "operator")
            async with at.engine.connect() as ledger:
                (letter,) = await letters.listing(ledger, Filters(ids=(name,)))
            async with planner(at) as plans:
                return await diff(plans, letter)

    rows = run(work())
    if output is Output.JSON:
        print_json(rows)
    elif rows:
        table(rows, _DIFF)
    else:
        typer.echo("nothing differs")
