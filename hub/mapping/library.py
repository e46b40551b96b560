"""Finds the mappings of a folder and compiles each once.

Codes of the `ConfigError` raised here: ``mapping_missing``, ``mapping_name``, ``mapping_unreadable``
and ``mapping_syntax`` (see `hub.mapping.engine`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from canonical import DOCUMENTS
from canonical.errors import ConfigError
from hub.mapping.engine import Limits, Mapping
from hub.mapping.jsonatapy_engine import JsonatapyMapping

_UNSAFE = re.compile(r"[^a-z0-9_-]")
_SUFFIX = ".jsonata"
_MOST_BYTES = 1_000_000

Compile = Callable[[str, str, Limits], Mapping]
"""(text, name, limits) -> the compiled mapping: `JsonatapyMapping` or `ReferenceMapping`."""


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


@dataclass(frozen=True, slots=True)
class Compiled:
    """One mapping, ready to apply."""

    entity: str
    version: str
    name: str
    mapping: Mapping


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
    left, _, right = path.name.removesuffix(_SUFFIX).partition(".")
    if right in DOCUMENTS and left == flow_word(left) and left:
        return "in", left, right
    if left in DOCUMENTS and right == flow_word(right) and right:
        return "out", right, left
    expected = "expected <flow>.<entity>.jsonata or <entity>.<flow>.jsonata"
    raise ConfigError("mapping_name", name, f"{expected}; entities: {', '.join(DOCUMENTS)}")


def mapping_files(root: Path, systems: Collection[str] | None = None) -> Iterator[MappingFile]:
    """All mappings of the folder, by system and name; only those of `systems` where given."""
    for path in sorted(root.glob(f"*/*{_SUFFIX}")):
        if systems is None or path.parent.name in systems:
            yield read_mapping(path, root)


class Library:
    """The mappings of a folder, compiled once, for the thread that makes it.

    Args:
        root: the folder; each system has its own in it.
        systems: compile only the mappings of these.
        limits: how far one evaluation may go.
        compile_: the engine.

    Raises:
        ConfigError: a file cannot be read, named or compiled.

    """

    def __init__(
        self,
        root: Path,
        systems: Collection[str] | None = None,
        limits: Limits = Limits(),  # noqa: B008  # frozen
        compile_: Compile = JsonatapyMapping,
    ) -> None:
        self._inbound: dict[tuple[str, str], tuple[Compiled, ...]] = {}
        self._outbound: dict[tuple[str, str, str], Compiled] = {}
        for file in mapping_files(root, systems):
            mapping = compile_(file.text, file.name, limits)
            compiled = Compiled(file.entity, file.version, file.name, mapping)
            if file.direction == "in":
                key = (file.system, file.flow)
                self._inbound[key] = (*self._inbound.get(key, ()), compiled)
            else:
                self._outbound[file.system, file.entity, file.flow] = compiled

    def inbound(self, system: str, flow: str) -> tuple[Compiled, ...]:
        """The mappings of a source flow, one for each entity that it becomes.

        Raises:
            ConfigError: ``mapping_missing``.

        """
        found = self._inbound.get((system, flow_word(flow)))
        if found is None:
            raise _missing(f"mappings/{system}/{flow_word(flow)}.*{_SUFFIX}")
        return found

    def outbound(self, system: str, entity: str, flow: str) -> Compiled:
        """The mapping of an entity to a target's flow.

        Raises:
            ConfigError: ``mapping_missing``.

        """
        found = self._outbound.get((system, entity, flow_word(flow)))
        if found is None:
            raise _missing(f"mappings/{system}/{entity}.{flow_word(flow)}{_SUFFIX}")
        return found


def _missing(pattern: str) -> ConfigError:
    return ConfigError("mapping_missing", pattern, "no such file")
