"""`crossdock dlq approve`: a second person's word on a replay job or a correction."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from canonical.errors import Rejected
from dlq_tools.editing import approve_edit, print_edit
from dlq_tools.options import Actor, Reason, allowed, by_whom
from dlq_tools.replaying import print_job
from hub.cli.desk import ConfigOption, Desk, desk
from hub.cli.exits import run
from hub.cli.output import Output, OutputOption
from hub.dead_letters import jobs
from hub.release.holds import Act


def approve(
    name: Annotated[str, typer.Argument(help="The id of a replay job, or of a correction.")],
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Say no instead.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Let a replay job or a correction go that needs a second person, or refuse it."""
    actor = by_whom(reason, by)

    async def work() -> dict[str, Any]:
        async with desk(config) as at:
            allowed(at.site, "approver")
            act = Act(*actor, at.clock.now())
            job_id = await _job(at, name)
            if job_id is None:
                return await approve_edit(at, name, act, yes=not refuse)
            async with at.engine.begin() as ledger:
                return await jobs.approve(ledger, job_id, act, yes=not refuse)

    found = run(work())
    if "total" in found:
        print_job(found, output)
    else:
        print_edit(found, output)


async def _job(at: Desk, name: str) -> str | None:
    """Return the id of the job of this name; None: it must be a correction."""
    try:
        async with at.engine.connect() as ledger:
            return await jobs.find(ledger, name)
    except Rejected as error:
        if error.code == "job_unknown":
            return None
        raise
