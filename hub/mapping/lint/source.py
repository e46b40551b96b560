"""Rule E1 for outbound mappings, whose source is the vocabulary: paths that it does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.mapping.lint.finding import Spotted, did_you_mean
from hub.mapping.lint.schema import Shape
from hub.mapping.lint.tree import Node

_SAME = frozenset({"distinct", "filter", "reverse", "shuffle", "single", "sort"})
"""Functions that give some of what they get."""
_EACH = frozenset({"filter", "map", "single", "sort"})
"""Functions that hand single elements to a function."""

Variables = Mapping[str, Shape | None]


class SourcePaths:
    """Follows every path through the vocabulary; unknown shapes are followed no further."""

    def __init__(self, root: Shape) -> None:
        self._root = root
        self._found: list[Spotted] = []

    def findings(self, tree: Node) -> Iterator[Spotted]:
        """Every path that leads nowhere."""
        self._visit(tree, self._root, {})
        yield from self._found

    def _visit(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        """Follow a node; returns the shape of one element of what it gives, if known."""
        if node.kind == "path":
            return self._path(node, context, variables)
        if node.kind == "variable":
            known = {**variables, "": context, "$": self._root}
            return known.get(node.value)
        if node.kind == "block":
            return self._block(node, context, variables)
        if node.kind == "call":
            return self._call(node, context, variables)
        if node.kind == "lambda":
            variables = {**variables, **dict.fromkeys(node.value)}
        results = [self._visit(child, context, variables) for child in node.items]
        self._filters(node, None, variables)
        return results[0] if node.kind == "bind" else None

    def _path(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        current = context
        for step in node.items:
            if step.kind == "name":
                current = self._field(step, current)
            else:
                current = self._visit(step, current, variables)
            variables = {**variables, **dict.fromkeys(step.names)}
            self._filters(step, current, variables)
            if step.group is not None:
                current = None  # an object whose keys are the document's own values
        self._filters(node, current, variables)
        return current if node.group is None else None

    def _field(self, step: Node, current: Shape | None) -> Shape | None:
        if current is None or current.kind == "map":
            return None
        found = current.fields.get(step.value)
        if found is None:
            spotted = self.unknown(step, current.fields)
            self._found += [spotted] if spotted is not None else []
            return None
        return found.element if found.kind == "array" else found

    def unknown(self, step: Node, known: Mapping[str, Shape]) -> Spotted | None:
        """Say that there is no such field among those that are known; None: let it be."""
        guess = did_you_mean(str(step.value), known)
        return Spotted("E1", step.at, f"the document has no {step.value} here{guess}")

    def _filters(self, node: Node, current: Shape | None, variables: Variables) -> None:
        for each in node.filters:
            self._visit(each, current, variables)
        if node.group is not None:
            self._visit(node.group, current, variables)

    def _block(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        inner = dict(variables)
        result = None
        for item in node.items:
            result = self._visit(item, context, inner)
            if item.kind == "bind":
                inner[item.value] = result
        self._filters(node, result, inner)
        return result

    def _call(self, node: Node, context: Shape | None, variables: Variables) -> Shape | None:
        first: Shape | None = None
        for index, argument in enumerate(node.items):
            if argument.kind == "lambda" and node.value in _EACH and argument.value:
                inner = {**variables, **dict.fromkeys(argument.value), argument.value[0]: first}
                self._visit(argument.items[0], context, inner)
                continue
            shape = self._visit(argument, context, variables)
            first = shape if index == 0 else first
        self._filters(node, None, variables)
        return first if node.value in _SAME else None
