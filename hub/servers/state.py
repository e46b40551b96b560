"""What the embedded servers of one data folder keep between runs: ports, password, process ids.

Codes: ``state_unreadable``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from canonical.errors import ConfigError


class ProcessMark(BaseModel):
    """One process for good: a pid alone may be another program's after a restart."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float


class State(BaseModel):
    """The content of ``servers.json``."""

    model_config = ConfigDict(frozen=True)

    password: str = Field(repr=False)
    ports: dict[str, int] = {}
    processes: dict[str, ProcessMark] = {}


def read(data_dir: Path) -> State | None:
    """What an earlier run left, or None where there was none.

    Raises:
        ConfigError: ``state_unreadable``.

    """
    path = data_dir / "servers.json"
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        detail = "not what the hub wrote; without it the embedded servers' password is lost"
        raise ConfigError("state_unreadable", str(path), detail) from error


def write(data_dir: Path, state: State) -> None:
    """Replace the file in one step; it holds a password, so only its owner may read it."""
    path = data_dir / "servers.json"
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(state.model_dump(), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
