"""A file that was looked into as one JSON object, written part by part: it may be of any size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from hub.edi.looked import Json, Looked

_STEP = "  "


def line(looked: Looked) -> Iterator[str]:
    """Yield the text of the object as one line."""
    return _Writer(indent=False).text(looked)


def block(looked: Looked) -> Iterator[str]:
    """Yield the text of the object for people to read."""
    return _Writer(indent=True).text(looked)


class _Writer:
    def __init__(self, *, indent: bool) -> None:
        self._indent = indent

    def text(self, looked: Looked) -> Iterator[str]:
        yield from self._opened(looked.head(), 0)
        yield from self._list("errors", looked.errors(), 1)
        yield "," + self._key("interchanges", 1) + "["
        yield from self._interchanges(looked.parts(), 2)
        yield self._lead(1) + "]" + self._lead(0) + "}\n"

    def _interchanges(self, parts: Iterator[tuple[str, Json]], depth: int) -> Iterator[str]:
        before = ""
        for kind, head in parts:
            if kind != "interchange":
                continue
            yield before + self._lead(depth)
            yield from self._opened(head, depth)
            rest: Json = {}
            yield from self._list("sets", _sets(parts, rest), depth + 1)
            for name, value in rest.items():
                yield "," + self._key(name, depth + 1) + self._value(value, depth + 1)
            yield self._lead(depth) + "}"
            before = ","

    def _opened(self, head: Json, depth: int) -> Iterator[str]:
        """An object, up to where more may follow."""
        yield "{"
        before = ""
        for name, value in head.items():
            yield before + self._key(name, depth + 1) + self._value(value, depth + 1)
            before = ","

    def _list(self, name: str, values: Iterable[Json], depth: int) -> Iterator[str]:
        yield "," + self._key(name, depth) + "["
        before = ""
        for value in values:
            yield before + self._lead(depth + 1) + self._value(value, depth + 1)
            before = ","
        yield (self._lead(depth) if before else "") + "]"

    def _key(self, name: str, depth: int) -> str:
        return f'{self._lead(depth)}"{name}":' + (" " if self._indent else "")

    def _lead(self, depth: int) -> str:
        return "\n" + _STEP * depth if self._indent else ""

    def _value(self, value: object, depth: int) -> str:
        if not self._indent:
            return orjson.dumps(value).decode()
        return (
            orjson.dumps(value, option=orjson.OPT_INDENT_2)
            .decode()
            .replace("\n", self._lead(depth))
        )


def _sets(parts: Iterator[tuple[str, Json]], rest: Json) -> Iterator[Json]:
    """Yield the sets of one interchange; what its end says goes to `rest`."""
    for kind, value in parts:
        if kind == "end":
            rest.update(value)
            return
        yield value
