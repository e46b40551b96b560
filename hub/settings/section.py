"""What all sections of the configuration share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

LocalPath = Annotated[Path, AfterValidator(Path.absolute)]
"""A path on this machine; a relative one counts from the working directory at the start."""


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
