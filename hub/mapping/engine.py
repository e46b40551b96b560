"""What a mapping is to the hub, whichever engine runs it.

Codes of the `Rejected` that `Mapping.apply` raises:

- ``mapping_failed``: the expression raised; detail has JSONata's own error code
- ``mapping_undefined``: the expression gave nothing, or something else than one JSON object
- ``mapping_timeout``: it ran longer than `Limits.milliseconds`
- ``mapping_not_decimal``: a binary float, or an integer beyond 2^53, came in or went out, or a
  decimal function met something that is no plain decimal
- ``mapping_too_large``: it grew or nested beyond the limits
- ``code_unknown``, ``date_invalid``: what ``$code`` and ``$parse_date`` refuse
- any word that a mapping gives to ``$fail``

and of the `ConfigError` from compiling: ``mapping_syntax``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Protocol

from canonical.errors import ConfigError
from connectors.base import Json

JSONATAPY = "2.2.13"
"""The version that was measured; a patch release has changed results before."""


class Mapping(Protocol):
    """One compiled mapping; belongs to the thread that compiled it."""

    def apply(self, source: Json, bindings: Json, *, textual: bool = False) -> Json:
        """Map one document.

        Args:
            source: the document; decimals are text. It is not changed.
            bindings: what the mapping reads as ``$partner``, ``$connection``, ``$control`` and
                ``$received_on``.
            textual: see `connectors.base.SourceDocument`.

        Returns:
            A new object that shares nothing with `source`. Keys and array elements that are null
            are left out: JSONata cannot tell an absent value that passed a host function from null.

        Raises:
            Rejected: see the codes above; `where` is the mapping's file and, where it can be
                known, the place in the source: ``mappings/x12/850.order.jsonata: PO1[3].PO104``.
                For ``$fail`` it is what the mapping says.

        """
        ...

    def written(self, source: Json, bindings: Json, *, textual: bool = False) -> bytes:
        """Map one document and write the result as compact JSON; as `apply` in all else.

        A result without numbers and nulls is not looked at how deep it nests: whoever reads it is.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How far one evaluation may go; the killable process around it is the limit behind these."""

    milliseconds: int = 500
    stack: int = 100
    sequence: int = 100_000
    depth: int = 64
    """Nesting of the source and of the result; deeper input makes the engine superlinear."""


def check_engines() -> None:
    """Make sure that the engines are the ones that the mappings were proved on.

    jsonata-python and jsonata-rs install the same import package, and with both installed the
    other one wins silently.

    Raises:
        ConfigError: ``engine_wrong``.

    """
    found = metadata.version("jsonatapy")
    if found != JSONATAPY:
        raise ConfigError("engine_wrong", "jsonatapy", f"expected {JSONATAPY}, found {found}")
    spec = util.find_spec("jsonata")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    is_python = folder is not None and (folder / "jsonata.py").is_file()
    if not is_python or _installed("jsonata-rs"):
        detail = "expected the package of jsonata-python; uninstall jsonata-rs, install it again"
        raise ConfigError("engine_wrong", "jsonata", detail)


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
