"""Rule E1: paths that the source does not have.

The source of an outbound mapping is the vocabulary; of an inbound one, what its connector says that
the system sends (`connectors.fields`), and what worked cases have beyond that.

A function of the mapping's own is followed with what all of its calls hand to it. As a function may
call another one, what is handed over is gathered in rounds, before anything is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from hub.mapping.lint.finding import Spotted, did_you_mean
from hub.mapping.lint.schema import Shape
from hub.mapping.lint.shapes import both
from hub.mapping.lint.tree import Node

_SAME = frozenset({"distinct", "filter", "merge", "reverse", "shuffle", "single", "sort"})
"""Functions that give some of what they get."""
_EACH = frozenset({"filter", "map", "single", "sort"})
"""Functions that hand single elements to a function."""
_GIVES = {"array": slice(0, None), "bind": slice(0, 1), "condition": slice(1, None)}
"""Kinds of nodes that give what some of their parts give."""
_ROUNDS = 5
"""How deep calls inside of called functions are followed."""


_UNKNOWN = Shape("map")


@dataclass(slots=True, eq=False)
class Function:
    """A function that the mapping names, where it was written."""

    node: Node
    context: Shape | None
    variables: Variables


Variables = Mapping[str, Shape | Function | None]


@dataclass(slots=True)
class _Handed:
    """What the calls of one function hand to it, by parameter."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def add(self, name: str, shape: Shape | None) -> None:
        if shape is None:
            self.unknown.add(name)
        else:
            held = self.shapes.get(name)
            self.shapes[name] = shape if held is None or held is shape else both(held, shape)

    def parameters(self, names: tuple[str, ...]) -> dict[str, Shape | None]:
        return {name: None if name in self.unknown else self.shapes.get(name) for name in names}


class SourcePaths:
    """Follows every path through the source; unknown shapes are followed no further."""

    def __init__(self, root: Shape) -> None:
        self._root = root
        self._found: list[Spotted] = []
        self._known: dict[Node, _Handed] = {}
        """What was handed to each function in the round before."""
        self._handed: dict[Node, _Handed] = {}
        self._gives: dict[Node, Shape | None] = {}
        """What each function was seen to give."""
        self._kinds = {
            "block": self._block,
            "call": self._call,
            "object": self._object,
            "path": self._path,
            "variable": self._variable,
        }

    def findings(self, tree: Node) -> Iterator[Spotted]:
        """Every path that leads nowhere."""
        for _ in range(_ROUNDS):
            self._found, self._known, self._handed = [], self._handed, {}
            self._visit(tree, self._root, {})
        yield from self._found

    def _visit(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        """Follow a node; returns the shape of one element of what it gives, if known."""
        found = self._inside(node, context, variables)
        for each in node.filters:
            self._visit(each, found, variables)
        return found if node.group is None else self._group(node.group, found, variables)

    def _inside(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        follow = self._kinds.get(node.kind)
        if follow is not None:
            return follow(node, context, variables)
        if node.kind == "lambda":
            variables = {**variables, **dict.fromkeys(node.value)}
        results = [self._visit(child, context, variables) for child in node.items]
        return _any_of(results[_GIVES[node.kind]]) if node.kind in _GIVES else None

    def _variable(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        known = {**variables, "": context, "$": self._root}
        found = known.get(node.value)
        if isinstance(found, Function):  # handed on: nobody knows with what it will be called
            self._hand(found.node, (None,) * len(found.node.value))
            return None
        return found

    def _object(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        """Follow an object literal; what its keys are is known where they are texts."""
        results = [self._visit(each, context, variables) for each in node.items]
        keys = node.items[::2]
        if any(key.kind != "string" for key in keys):
            return Shape("map", element=_any_of(results[1::2]))
        named = zip(keys, results[1::2], strict=True)
        return Shape("object", {str(key.value): shape or _UNKNOWN for key, shape in named})

    def _path(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        current = context
        for step in node.items:
            if step.kind == "name":
                current = self._field(step, current)
            else:
                current = self._visit(step, current, variables)
            variables = {**variables, **dict.fromkeys(step.names)}
            if step.kind != "name":
                continue
            for each in step.filters:
                self._visit(each, current, variables)
            if step.group is not None:
                current = self._group(step.group, current, variables)
        return current

    def _group(self, group: Node, current: Shape | None, variables: Variables) -> Shape:
        """Follow a group-by: an object whose keys are the document's own values."""
        results = [self._visit(each, current, variables) for each in group.items]
        return Shape("map", element=_any_of(results[1::2]))

    def _field(self, step: Node, current: Shape | None) -> Shape | None:
        if current is None or current.kind == "map":
            self._say(self.anywhere(step) if current is None or current is _UNKNOWN else None)
            return current.element if current is not None else None
        found = current.fields.get(step.value)
        if found is None:
            self._say(self.unknown(step, current.fields))
            return None
        return found.element if found.kind == "array" else found

    def _say(self, spotted: Spotted | None) -> None:
        self._found += [spotted] if spotted is not None else []

    def anywhere(self, step: Node) -> Spotted | None:  # noqa: ARG002  # for others to say
        """Say that there is no such field at all, where nobody knows in what it is looked for."""
        return None

    def unknown(self, step: Node, known: Mapping[str, Shape]) -> Spotted | None:
        """Say that there is no such field among those that are known; None: let it be."""
        guess = did_you_mean(str(step.value), known)
        return Spotted("E1", step.at, f"the document has no {step.value} here{guess}")

    def _block(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        inner: dict[str, Shape | Function | None] = dict(variables)
        result = None
        for item in node.items:
            written = _function_in(item)
            if written is not None:
                inner[item.value] = self._function(written, context, inner)
                continue
            result = self._visit(item, context, inner)
            if item.kind == "bind":
                inner[item.value] = result
        return result

    def _function(self, node: Node, context: Shape | None, variables: Variables) -> Function:
        """Follow a named function with what it was seen to be called with."""
        handed = self._known.get(node, _Handed())
        function = Function(node, context, variables)
        inner = {**variables, **handed.parameters(node.value)}
        self._gives[node] = self._visit(node.items[0], context, inner)
        return function

    def _hand(self, node: Node, shapes: tuple[Shape | None, ...]) -> None:
        handed = self._handed.setdefault(node, _Handed())
        for name, shape in zip(node.value, shapes, strict=False):
            handed.add(name, shape)

    def _call(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        shapes: list[Shape | None] = []
        for argument in node.items:
            if node.value in _EACH and shapes:
                shapes.append(self._each(argument, shapes[0], context, variables))
            else:
                shapes.append(self._visit(argument, context, variables))
        called = variables.get(node.value) if isinstance(node.value, str) else None
        result: Shape | None = None
        if isinstance(called, Function):
            self._hand(called.node, tuple(shapes))
            given = _parameter_given(called.node)
            result = self._gives.get(called.node)
            if given is not None:
                result = shapes[given] if given < len(shapes) else None
        elif shapes and node.value in _SAME:
            result = shapes[0]
        elif shapes and node.value == "map":
            result = shapes[-1]
        return result

    def _each(
        self, argument: Node, first: Shape | None, context: Shape | None, variables: Variables
    ) -> Shape | None:
        """Follow a function that gets single elements; return what it gives."""
        if argument.kind == "lambda" and argument.value:
            inner = {**variables, **dict.fromkeys(argument.value), argument.value[0]: first}
            return self._visit(argument.items[0], context, inner)
        named = variables.get(argument.value) if argument.kind == "variable" else None
        if isinstance(named, Function):
            self._hand(named.node, (first, *(None,) * len(named.node.value)))
            return self._gives.get(named.node)
        return self._visit(argument, context, variables)


def _any_of(shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape of what is one of several; None where one of them is unknown, or there is none."""
    known = [each for each in shapes if each is not None]
    return reduce(both, known) if known and len(known) == len(shapes) else None


def _function_in(bound: Node) -> Node | None:
    """The function that is given a name, if it is one; also where it is defined only at need."""
    if bound.kind != "bind":
        return None
    value = bound.items[0]
    parts = value.items[1:] if value.kind == "condition" else (value,)
    return parts[0] if len(parts) == 1 and parts[0].kind == "lambda" else None


def _parameter_given(function: Node) -> int | None:
    """Which parameter a function gives back, or a part of it: ``function($all) { $all[0] }``."""
    body = function.items[0]
    while body.kind in ("path", "block") and len(body.items) == 1:
        body = body.items[0]
    if body.kind != "variable" or body.group is not None or body.value not in function.value:
        return None
    return list(function.value).index(body.value)
