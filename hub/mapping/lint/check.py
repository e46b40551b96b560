"""All rules over one mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from canonical.errors import ConfigError
from connectors.base import Json
from hub.mapping.engine import Limits
from hub.mapping.files import MappingFile
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.mapping.lint.calls import call_findings
from hub.mapping.lint.finding import Finding, Spotted
from hub.mapping.lint.floats import float_findings
from hub.mapping.lint.habits import habit_findings
from hub.mapping.lint.output import Output
from hub.mapping.lint.schema import shape_of
from hub.mapping.lint.seen import source_findings
from hub.mapping.lint.source import SourcePaths
from hub.mapping.lint.tree import Node, parse
from hub.mapping.positions import line_and_column


def lint_mapping(
    file: MappingFile, sources: Sequence[Json] = (), fields: Json | None = None
) -> tuple[Finding, ...]:
    """Everything that is wrong, or looks wrong, in a mapping, in the order of its text.

    Args:
        file: the mapping.
        sources: what its worked cases map, as far as there are any.
        fields: what its source may hold (`connectors.fields`); None: nobody says.

    """
    try:
        tree = parse(file.text)
    except SyntaxError as error:
        problem = Spotted("E9", error.offset or 0, f"the linter's parser says {error.msg}")
        return (_placed(file, problem),)
    found = {(each.at, each.rule): each for each in _spotted(file, tree, sources, fields)}
    return tuple(_placed(file, found[key]) for key in sorted(found))


def _spotted(
    file: MappingFile, tree: Node, sources: Sequence[Json], fields: Json | None
) -> Iterator[Spotted]:
    try:
        JsonatapyMapping(file.text, file.name, Limits())
    except ConfigError as error:
        yield Spotted("E9", 0, f"the engine says {error.detail}")
    yield from call_findings(tree)
    yield from float_findings(tree)
    yield from habit_findings(tree)
    shape = shape_of(file.entity)
    if file.direction == "in":
        yield from Output(shape).findings(tree)
        yield from source_findings(tree, fields, sources)
    else:
        yield from SourcePaths(shape).findings(tree)


def _placed(file: MappingFile, spotted: Spotted) -> Finding:
    place = f"{file.name}:{line_and_column(file.text, spotted.at)}"
    return Finding(spotted.rule, place, spotted.message)
