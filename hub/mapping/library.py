"""The mappings of a hub, compiled once and found by flow and entity.

Codes of the `ConfigError` raised here: ``mapping_missing``, and ``mapping_syntax`` (see
`hub.mapping.engine`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from canonical.errors import ConfigError
from hub.mapping.engine import Limits, Mapping
from hub.mapping.files import SUFFIX, MappingFile, flow_word
from hub.mapping.jsonatapy_engine import JsonatapyMapping

Compile = Callable[[str, str, Limits], Mapping]
"""(text, name, limits) -> the compiled mapping: `JsonatapyMapping` or `ReferenceMapping`."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One mapping, ready to apply."""

    entity: str
    version: str
    name: str
    mapping: Mapping


class Library:
    """Mappings compiled for the thread that makes the library.

    Args:
        files: the mappings; `hub.mapping.files.mapping_files` reads them from a folder.
        limits: how far one evaluation may go.
        compile_: the engine.

    Raises:
        ConfigError: a mapping does not compile.

    """

    def __init__(
        self,
        files: Iterable[MappingFile],
        limits: Limits = Limits(),  # noqa: B008  # frozen
        compile_: Compile = JsonatapyMapping,
    ) -> None:
        self._inbound: dict[tuple[str, str], tuple[Compiled, ...]] = {}
        self._outbound: dict[tuple[str, str, str], Compiled] = {}
        for file in files:
            mapping = compile_(file.text, file.name, limits)
            compiled = Compiled(file.entity, file.version, file.name, mapping)
            if file.direction == "in":
                key = (file.system, file.flow)
                self._inbound[key] = (*self._inbound.get(key, ()), compiled)
            else:
                self._outbound[file.system, file.entity, file.flow] = compiled

    def maps(self, system: str, flow: str) -> bool:
        """Whether a source flow becomes anything."""
        return (system, flow_word(flow)) in self._inbound

    def inbound(self, system: str, flow: str) -> tuple[Compiled, ...]:
        """The mappings of a source flow, one for each entity that it becomes.

        Raises:
            ConfigError: ``mapping_missing``.

        """
        found = self._inbound.get((system, flow_word(flow)))
        if found is None:
            raise _missing(f"mappings/{system}/{flow_word(flow)}.*{SUFFIX}")
        return found

    def outbound(self, system: str, entity: str, flow: str) -> Compiled:
        """The mapping of an entity to a target's flow.

        Raises:
            ConfigError: ``mapping_missing``.

        """
        found = self._outbound.get((system, entity, flow_word(flow)))
        if found is None:
            raise _missing(f"mappings/{system}/{entity}.{flow_word(flow)}{SUFFIX}")
        return found


def _missing(pattern: str) -> ConfigError:
    return ConfigError("mapping_missing", pattern, "no such file")
