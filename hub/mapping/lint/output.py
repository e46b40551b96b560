"""Rules about what an inbound mapping makes: E2, E3, E4, E5, and E6 where it reaches a decimal."""

from __future__ import annotations

from collections.abc import Iterator

from hub.mapping.lint.finding import Spotted, did_you_mean
from hub.mapping.lint.floats import first_float
from hub.mapping.lint.made import Option, Scope, options, steps
from hub.mapping.lint.schema import Shape
from hub.mapping.lint.tree import Node

_GIVES_ARRAYS = frozenset({"split"})
"""Functions that give an array even of one element."""
_KEEPS_ARRAYS = frozenset({"distinct", "reverse", "shuffle", "sort"})
"""Functions that give an array for an array."""

Fields = dict[str, list[Option]]
"""What each field may be, over all alternatives; a `node` of None: it may be absent."""


class Output:
    """Compares what a mapping makes with the shape that it must have."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._repeating: set[tuple[str, ...]] = set()
        self._singles: list[tuple[str, Node, Scope]] = []
        self._found: list[Spotted] = []

    def findings(self, root: Node) -> Iterator[Spotted]:
        """Everything that is wrong with what it makes."""
        self._check(list(options(root, Scope())), self._shape, "", root.at)
        for name, node, scope in self._singles:
            self._single(name, node, scope)
        yield from self._found

    def _spot(self, rule: str, at: int, message: str) -> None:
        self._found.append(Spotted(rule, at, message))

    def _check(self, made: list[Option], shape: Shape, name: str, at: int) -> None:
        if shape.kind == "object":
            self._object(made, shape, name, at)
        elif shape.kind == "array":
            self._array(made, shape, name)
        elif shape.kind != "map":
            self._value(made, shape, name)

    def _object(self, made: list[Option], shape: Shape, name: str, at: int) -> None:
        fields, is_open = _fields(made)
        if not fields and is_open:
            return
        for field, choices in fields.items():
            inner = shape.fields.get(field)
            place = next((c.node.at for c in choices if c.node is not None), at)
            if inner is None:
                guess = did_you_mean(field, shape.fields)
                self._spot("E3", place, f"{name or 'the document'} has no field {field}{guess}")
                continue
            if field in shape.required and any(c.node is None for c in choices):
                full = f"{name}.{field}".removeprefix(".")
                self._spot("E2", place, f"{full} is required and not set in every branch")
            self._check(choices, inner, f"{name}.{field}".removeprefix("."), place)
        if not is_open:
            for field in sorted(shape.required - fields.keys()):
                full = f"{name}.{field}".removeprefix(".")
                self._spot("E2", at, f"{full} is required and never set")

    def _array(self, made: list[Option], shape: Shape, name: str) -> None:
        elements: list[Option] = []
        for option in made:
            node = option.node
            if node is None:
                continue
            if not (option.always_array or _is_array(node, option.scope)):
                self._spot("E4", node.at, f"{name} is an array: wrap it in [ ]")
            if node.kind == "array":
                for item in node.items:
                    self._remember_repeating(item, option.scope)
                    elements.extend(options(item, option.scope))
            else:
                self._remember_repeating(node, option.scope)
                elements.append(option)
        if shape.element is not None and elements:
            at = next((e.node.at for e in elements if e.node is not None), 0)
            known = [each for each in elements if each.node is not None]
            self._check(known, shape.element, f"{name}[]", at)

    def _value(self, made: list[Option], shape: Shape, name: str) -> None:
        for option in made:
            if option.node is None:
                continue
            if shape.kind == "decimal":
                bad = first_float(option.node, option.scope)
                if bad is not None:
                    message = f"binary floating point on its way into {name}; use $dec functions"
                    self._spot("E6", bad.at, message)
            if not name.endswith("[]"):  # an element of an array may be many
                self._singles.append((name, option.node, option.scope))

    def _remember_repeating(self, node: Node, scope: Scope) -> None:
        way = steps(node, scope)
        if way and not any(step.filters for step in node.items):
            self._repeating.add(way)

    def _single(self, name: str, node: Node, scope: Scope) -> None:
        """A single value whose path goes through something that repeats, without picking one."""
        way = steps(node, scope)
        if way is None or node.kind != "path" or any(s.filters for s in node.items):
            return
        context = scope.context or ()
        begun = len(context) if way[: len(context)] == context else 0
        for length in range(begun + 1, len(way) + 1):
            if way[:length] in self._repeating:
                repeats = ".".join(way[:length])
                self._spot("E5", node.at, f"{name} is one value and {repeats} repeats: pick one")
                return


def _is_array(node: Node, scope: Scope) -> bool:
    if node.kind != "call":
        return False
    if node.value in _KEEPS_ARRAYS and node.items:
        return all(
            option.always_array or option.node is None for option in options(node.items[0], scope)
        )
    return node.value in _GIVES_ARRAYS


def _fields(made: list[Option]) -> tuple[Fields, bool]:
    """The fields of all alternatives that are objects; and whether there may be more."""
    objects: list[dict[str, list[Option]]] = []
    is_open = False
    for option in made:
        if option.node is None:
            continue
        found = _merged(option) if option.node.value == "merge" else _literal(option)
        if found is None:
            is_open = True
            continue
        objects.append(found[0])
        is_open = is_open or found[1]
    fields: Fields = {}
    for each in objects:
        for name, choices in each.items():
            fields.setdefault(name, []).extend(choices)
    for name, choices in fields.items():
        if not is_open and any(name not in each for each in objects):
            choices.append(Option(None, Scope()))
    return fields, is_open


def _literal(option: Option) -> tuple[Fields, bool] | None:
    node = option.node
    if node is None or node.kind != "object":
        return None
    fields: Fields = {}
    is_open = False
    for key, value in zip(node.items[::2], node.items[1::2], strict=True):
        if key.kind == "string":
            fields[key.value] = list(options(value, option.scope))
        else:
            is_open = True
    return fields, is_open


def _merged(option: Option) -> tuple[Fields, bool] | None:
    """``$merge([a, b])``: the later object wins, so an earlier one only counts where it is absent."""
    node = option.node
    if node is None or len(node.items) != 1 or node.items[0].kind != "array":
        return None
    fields: Fields = {}
    is_open = False
    for item in node.items[0].items:
        choices = list(options(item, option.scope))
        inner, opened = _fields(choices)
        is_open = is_open or opened
        absent = any(choice.node is None for choice in choices)
        for name, values in inner.items():
            certain = not absent and not opened and all(v.node is not None for v in values)
            kept = [] if certain else fields.get(name, [Option(None, option.scope)])
            present = [value for value in values if value.node is not None]
            fields[name] = [*kept, *present]
    return fields, is_open
