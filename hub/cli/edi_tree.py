"""What a file holds, as lines of text: a tree, or its verdicts with every error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.edi.looked import Looked

Json = dict[str, Any]
_STEP = "  "


def tree(looked: Looked) -> Iterator[str]:
    """Yield a file as a tree, from its envelopes down to the last element."""
    yield f"{looked.path}: {looked.report.verdict}"
    yield from (f"{_STEP}{error['message']}" for error in looked.errors())
    for kind, value in looked.parts():
        if kind == "interchange":
            sides = f"{value['sender']} to {value['receiver']}"
            usage = "test" if value["usage"] == "T" else "production"
            yield f"{_STEP}interchange {value['control_number']} from {sides}, {usage}"
        elif kind == "set":
            yield from _set(value)
        for said in value.get("acknowledges", ()):
            yield f"{_STEP * 2}acknowledges {' '.join(f'{k}={v}' for k, v in said.items())}"


def _set(each: Json) -> Iterator[str]:
    group = f" in group {each['group']}" if each["group"] else ""
    head = f"{each['type']} {each['control_number']}{group}, {each['version']}"
    yield f"{_STEP * 2}{head}, {each['segments']} segments: {each['verdict']}"
    yield from (f"{_STEP * 3}{error['message']}" for error in each["errors"])
    for area in ("heading", "detail", "summary"):
        if area in each["body"]:
            yield f"{_STEP * 3}{area}"
            yield from _node(each["body"][area], 4)


def _node(node: Json, depth: int) -> Iterator[str]:
    for key, value in node.items():
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, dict):
                yield f"{_STEP * depth}{key} {one}"
            elif all(isinstance(each, str) for each in one.values()):
                values = "  ".join(f"{name} {text}" for name, text in one.items())
                yield f"{_STEP * depth}{key}: {values}" if values else f"{_STEP * depth}{key}"
            else:
                yield f"{_STEP * depth}{key}"
                yield from _node(one, depth + 1)


def verdict_lines(looked: Looked) -> Iterator[str]:
    """Yield a file's verdict and every error in a line of its own."""
    faults, sets = looked.faults, looked.report.documents
    errors = "no error" if not faults else "1 error" if faults == 1 else f"{faults} errors"
    documents = "1 document" if sets == 1 else f"{sets} documents"
    yield f"{looked.path}: {looked.report.verdict}, {documents}, {errors}"
    for error in looked.all_errors():
        yield f"{_STEP}{error['message']} [{error['code']}]"
