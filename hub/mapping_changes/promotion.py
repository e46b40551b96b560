"""Takes candidate mappings into use: proved, compared, kept, and on record.

Codes: ``mappings_unset`` (ConfigError), ``mapping_unsound`` and ``mapping_breaks`` (Rejected),
``mapping_unwritable`` (ConfigError).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from canonical.errors import ConfigError, Rejected
from connectors.fields import Options
from connectors.registry import CONNECTORS
from hub.mapping.cases import Case, read_cases, run_case
from hub.mapping.files import SUFFIX, MappingFile, read_mapping, shipped_mappings
from hub.mapping.lint.check import lint_mapping
from hub.mapping.lint.known import source_fields, sources
from hub.mapping.misnamed import misnamed
from hub.settings.model import Site

KEPT = ".kept"
"""Below the site's mappings: every version that was ever in use, by name and version."""


def agreed_options(site: Site, system: str) -> list[Options]:
    """Return the options of a site's connections to one system."""
    return [each.options for each in site.connections.values() if each.system == system]


def prove(files: Sequence[MappingFile], site: Site) -> None:
    """Refuse mappings that nothing would run, that lint finds wrong, or whose worked cases fail.

    One without cases of its own is held to those of the shipped mapping that it would replace.

    Raises:
        Rejected: ``mapping_unsound``.

    """
    for file in files:
        if wrong := misnamed(file, CONNECTORS):
            raise Rejected("mapping_unsound", file.name, wrong)
        fields = source_fields(file, agreed_options(site, file.system))
        for finding in lint_mapping(file, sources(file), fields):
            if finding.is_error:
                raise Rejected("mapping_unsound", finding.place, finding.message)
        of, cases = _cases(file)
        for case in cases:
            for outcome in run_case(file, case):
                if outcome.problems:
                    where = f"{file.name}: {case.path.name}"
                    detail = f"a worked case {of}fails on {outcome.engine}"
                    raise Rejected("mapping_unsound", where, detail)


def _cases(file: MappingFile) -> tuple[str, list[Case]]:
    """Its own cases, or those of the shipped mapping of its name; and whose they are, in words."""
    own = list(read_cases(file))
    shipped = shipped_mappings() / file.system / file.path.name
    if own or not shipped.is_file():
        return "", own
    of = "of the shipped mapping (it has none of its own) "
    return of, list(read_cases(read_mapping(shipped, shipped_mappings())))


def refuse_failures(changes: Iterable[Mapping[str, Any]]) -> None:
    """Refuse mappings that make documents fail which are mapped today.

    Args:
        changes: rows of a `Tally`.

    Raises:
        Rejected: ``mapping_breaks``.

    """
    gained = [row for row in changes if row["what"] == "failure_gained"]
    if gained:
        number = sum(row["documents"] for row in gained)
        codes = ", ".join(sorted({row["where"] for row in gained}))
        detail = f"documents that are mapped today and fail with it: {number}; see --allow-failures"
        raise Rejected("mapping_breaks", codes, detail)


def own_folder(folder: Path | None) -> Path:
    """Return the folder of the site's own mappings.

    Raises:
        ConfigError: ``mappings_unset``.

    """
    if folder is None:
        detail = "name the folder of the site's own mappings in its configuration"
        raise ConfigError("mappings_unset", "mappings", detail)
    return folder


def install(folder: Path, files: Sequence[MappingFile]) -> list[Path]:
    """Write mappings into the site's own folder, each at once and whole; all versions are kept.

    They are on disk when this returns.

    Raises:
        ConfigError: ``mapping_unwritable``.

    """
    written = []
    try:
        for file in files:
            name = file.path.name.removesuffix(SUFFIX)
            kept = folder / KEPT / file.system / f"{name}.{file.version}{SUFFIX}"
            for path in (kept, folder / file.system / file.path.name):
                _write(path, file.text)
            written.append(folder / file.system / file.path.name)
            for case in read_cases(file):
                _write(
                    folder / file.system / f"{name}.cases" / case.path.name,
                    case.path.read_text("utf-8"),
                )
    except OSError as error:
        raise ConfigError("mapping_unwritable", str(folder), type(error).__name__) from None
    return written


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)  # the new name is in the folder
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def kept_versions(folder: Path) -> Iterator[Path]:
    """All versions that were ever in use."""
    yield from sorted((folder / KEPT).glob(f"*/*{SUFFIX}"))
