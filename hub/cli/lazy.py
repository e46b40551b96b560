"""Command groups that import a command's module when it is run, not when the program starts.

The models, the database driver and the web framework cost seconds of CPU together; ``--help``, a
completion or a mistyped word needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as the group's help shows it, and where it is."""

    place: str
    """``module:name`` of a function, or of a `typer.Typer` with commands of its own."""
    help: str
    """The first paragraph of its own help."""


class LazyGroup(TyperGroup):
    """A group whose subclass names its commands in `entries`."""

    entries: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **settings: Any) -> None:
        """Take what Typer gives every group, and a stand-in for each command."""
        super().__init__(**settings)
        for name, entry in self.entries.items():
            self.add_command(TyperCommand(name, callback=None, help=entry.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that the first word names; only then is its module imported."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found if found is None or name is None else self.load(name), rest

    def load(self, name: str) -> TyperCommand | TyperGroup:
        """Import one command."""
        module, _, attribute = self.entries[name].place.partition(":")
        found = getattr(import_module(module), attribute)
        command = get_group(found) if isinstance(found, typer.Typer) else _command(found)
        command.name = name
        return command

    def loaded(self) -> dict[str, TyperCommand | TyperGroup]:
        """Import every command, for who reads the whole command line."""
        return {name: self.load(name) for name in self.entries}


def _command(function: Any) -> TyperCommand:
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return cast("TyperCommand", get_command(app))
