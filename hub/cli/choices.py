"""Options that take one of many words: a word that is misspelt is refused, not found nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection

import typer

from hub.settings.names import nearest


def one_of(words: Collection[str]) -> Callable[[str | None], str | None]:
    """Return an option's callback that lets only these words through.

    Raises:
        typer.BadParameter: by the callback; exit code 2.
    """

    def check(given: str | None) -> str | None:
        if given is None or given in words:
            return given
        near = nearest(given, words)
        hint = f"did you mean {near}? " if near else ""
        raise typer.BadParameter(f"{given!r}: {hint}expected one of: {', '.join(words)}")

    return check
