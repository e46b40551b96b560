"""Exit codes of every command, and how an error becomes one."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from canonical.errors import ConfigError, HubError, Rejected
from hub.ledger.faults import refusal
from hub.settings.places import SettingsError

T = TypeVar("T")


class Exit(IntEnum):
    """What a script can rely on."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOTHING_MATCHED = 3
    REFUSED = 4
    PARTLY_DONE = 5


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; an error of ours becomes one line on stderr and an exit code."""
    try:
        return asyncio.run(work)
    except SettingsError as error:
        for problem in error.problems:
            _say(str(problem))
        raise typer.Exit(Exit.FAILURE) from error
    except HubError as error:
        _say(str(error))
        raise typer.Exit(code_of(error)) from error
    except (SQLAlchemyError, OSError) as error:
        refused = refusal(error)
        waits = f"the ledger cannot be reached ({type(error).__name__}); is the hub running?"
        _say(f"{refused}: look at the database URL" if refused else waits)
        raise typer.Exit(Exit.FAILURE) from error
    except Exception as error:
        # A fault of ours; its text may quote a document, so only its type and place are shown.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _say(
            f"internal_error: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        )
        raise typer.Exit(Exit.FAILURE) from None


@contextmanager
def said() -> Iterator[None]:
    """Say on stderr what is wrong with the files that a command works on, and end with its code."""
    try:
        yield
    except SettingsError as error:
        for problem in error.problems:
            _say(str(problem))
        raise typer.Exit(Exit.FAILURE) from None
    except HubError as error:
        _say(str(error))
        raise typer.Exit(code_of(error)) from None
    except BrokenPipeError:  # who read what we print has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.FAILURE) from None
    except OSError as error:
        _say(f"FILE cannot be read ({type(error).__name__})")
        raise typer.Exit(Exit.FAILURE) from None


def code_of(error: HubError) -> Exit:
    """Return the exit code of an error."""
    if isinstance(error, ConfigError):
        return Exit.USAGE if error.code == "config_missing" else Exit.FAILURE
    if isinstance(error, Rejected):
        if error.code.endswith("_unknown"):
            return Exit.NOTHING_MATCHED
        return Exit.REFUSED
    return Exit.FAILURE


def _say(text: str) -> None:
    Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(text)
