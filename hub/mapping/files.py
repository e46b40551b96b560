"""The mappings of a folder, as files: which flow and entity each is for, and its version.

Codes of the `ConfigError` raised here: ``mapping_name`` and ``mapping_unreadable``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from canonical import DOCUMENTS
from canonical.errors import ConfigError

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
SUFFIX = ".jsonata"
_MOST_BYTES = 1_000_000


def shipped_mappings() -> Path:
    """The ``mappings/`` folder that comes with the hub."""
    return Path(__file__).parents[2] / "mappings"


def flow_word(flow: str) -> str:
    """A flow as file names write it: ``orders/create`` -> ``orders_create``."""
    return _UNSAFE.sub("_", flow)


@dataclass(frozen=True, slots=True)
class MappingFile:
    """One mapping as it stands in the folder."""

    system: str
    direction: Literal["in", "out"]
    flow: str
    """As the file name writes it (`flow_word`)."""
    entity: str
    path: Path
    name: str
    """As errors name it: ``mappings/x12/850.order.jsonata``."""
    text: str
    version: str
    """The first 12 hex digits of the sha256 of the text: stored with every document it made."""

    @property
    def cases(self) -> Path:
        """The folder of its worked cases."""
        return self.path.with_suffix(".cases")


def read_mapping(path: Path, root: Path) -> MappingFile:
    """Read one mapping file of the folder `root`.

    Raises:
        ConfigError: ``mapping_name`` or ``mapping_unreadable``.

    """
    name = f"mappings/{path.relative_to(root).as_posix()}"
    try:
        data = path.read_bytes()
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("mapping_unreadable", name, type(error).__name__) from None
    if len(data) > _MOST_BYTES:
        raise ConfigError("mapping_unreadable", name, f"more than {_MOST_BYTES} bytes")
    direction, flow, entity = _parts(path, name)
    version = hashlib.sha256(data).hexdigest()[:12]
    return MappingFile(path.parent.name, direction, flow, entity, path, name, text, version)


def _parts(path: Path, name: str) -> tuple[Literal["in", "out"], str, str]:
    left, _, right = path.name.removesuffix(SUFFIX).partition(".")
    if right in DOCUMENTS and left == flow_word(left) and left:
        return "in", left, right
    if left in DOCUMENTS and right == flow_word(right) and right:
        return "out", right, left
    expected = "expected <flow>.<entity>.jsonata or <entity>.<flow>.jsonata"
    raise ConfigError("mapping_name", name, f"{expected}; entities: {', '.join(DOCUMENTS)}")


def mapping_files(root: Path, systems: Collection[str] | None = None) -> Iterator[MappingFile]:
    """All mappings of the folder, by system and name; only those of `systems` where given."""
    for path in sorted(root.glob(f"*/*{SUFFIX}")):
        if systems is None or path.parent.name in systems:
            yield read_mapping(path, root)


def overlaid(
    files: Iterable[MappingFile], others: Iterable[MappingFile]
) -> tuple[MappingFile, ...]:
    """Mappings with others on top: each replaces the one of its name, by system and name."""
    found = {file.name: file for file in (*files, *others)}
    return tuple(found[name] for name in sorted(found))
