"""`crossdock dlq edit`: correcting a document before its replay."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from canonical.errors import Rejected
from dlq_tools.cells import rows_of
from dlq_tools.options import Actor, DryRun, Reason, by_whom, check_name
from dlq_tools.planning import planner
from dlq_tools.replaying import threshold
from hub.cli.desk import ConfigOption, Desk, desk
from hub.cli.exits import run
from hub.cli.output import Output, OutputOption, print_json, print_rows
from hub.dead_letters import editing, json_patch, letters
from hub.dead_letters.filters import Filters
from hub.release.holds import Act
from hub.settings.model import Site
from hub.settings.roles import may

_MOST_BYTES = 50_000_000
_COLUMNS = ("id", "letter_id", "of", "state", "changed")
Change = Callable[[bytes], bytes]


def edit_letter(
    name: Annotated[str, typer.Argument(help="The letter's id, or its first 8 characters.")],
    *,
    reason: Reason,
    config: ConfigOption = None,
    by: Actor = None,
    patch: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A JSON Patch (RFC 6902).")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The corrected document.")
    ] = None,
    dry_run: DryRun = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Correct the document of a dead letter: in an editor, by a JSON Patch, or as a file.

    It is taken only if it is valid and still the same document. The original is kept. Nothing is
    sent: replay the letter then.
    """
    check_name("ID", name)
    actor = by_whom(reason, by)
    _check_given(patch, file)

    async def work() -> dict[str, Any]:
        async with desk(config) as at:
            allowed_to_edit(at.site)
            change = _change(patch, file)
            async with at.engine.connect() as ledger:
                (letter,) = await letters.listing(ledger, Filters(ids=(name,)))
            async with planner(at) as plans:
                before = await editing.original(plans, letter)
                edited = change(before.body)
                if dry_run:
                    return await editing.would_edit(plans, letter, (before, edited))
                act = Act(*actor, at.clock.now())
                return await editing.edit(plans, letter, (before, edited), act, threshold(at.site))

    print_edit(run(work()), output)


def allowed_to_edit(site: Site) -> None:
    """Refuse to edit unless the site lets the role of its shells.

    Raises:
        Rejected: ``edit_off``.
    """
    given = site.dead_letters
    if not any(may(given.shell_role, role) for role in given.edit_roles):
        detail = "name who may in dead_letters.edit_roles; nobody may by default"
        raise Rejected("edit_off", "dead_letters.edit_roles", detail)


async def approve_edit(at: Desk, edit_id: str, act: Act, *, yes: bool) -> dict[str, Any]:
    """Let a correction count that somebody else made, or refuse it."""
    allowed_to_edit(at.site)
    async with planner(at) as plans:
        return await editing.approve(plans, edit_id, act, yes=yes)


def _check_given(patch: Path | None, file: Path | None) -> None:
    """Refuse two corrections at once, and none where nobody can write one.

    Raises:
        typer.BadParameter: exit code 2.
    """
    if patch is not None and file is not None:
        raise typer.BadParameter("give one of them", param_hint="--patch, --file")
    given = patch is not None or file is not None
    if not given and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("needed where nobody can edit", param_hint="--patch or --file")


def _change(patch: Path | None, file: Path | None) -> Change:
    """Return what makes the corrected document of the original.

    Raises:
        Rejected: ``patch_invalid``: the file of a patch is not JSON.
    """
    if patch is not None:
        operations = _operations(patch)
        return lambda body: json_patch.write(json_patch.apply(json_patch.read(body), operations))
    if file is not None:
        corrected = _content(file)
        return lambda _body: corrected
    return in_editor


def _operations(patch: Path) -> Any:
    try:
        return json_patch.read(_content(patch))
    except Rejected:
        raise Rejected("patch_invalid", str(patch), "the file is not JSON (RFC 6902)") from None


def _content(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(_MOST_BYTES)


def in_editor(body: bytes) -> bytes:
    """Let a person change a copy; bytes that are not changed stay as they are.

    Raises:
        Rejected: ``not_confirmed``: there is no such editor, or it ended with an error.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="crossdock-edit-") as folder:  # mode 0700
        path = Path(folder) / "document"
        path.write_bytes(body)
        try:
            command = [*shlex.split(editor), str(path)]
            done = subprocess.run(command, check=False)  # noqa: S603  # the person's own editor
        except (OSError, ValueError):
            detail = "the editor cannot be started: set EDITOR, or give --patch or --file"
            raise Rejected("not_confirmed", "EDITOR", detail) from None
        if done.returncode or not path.is_file():
            raise Rejected("not_confirmed", "", "the editor failed; nothing was done")
        return _content(path)


def print_edit(row: dict[str, Any], output: Output) -> None:
    """Print a correction: its places, never its values."""
    if output is Output.JSON:
        print_json(row)
        return
    print_rows(rows_of([row], _COLUMNS), _COLUMNS, output)
    if row["state"] == "awaiting_approval":
        typer.echo(f"it waits for a second person: crossdock dlq approve {row['id']}")
