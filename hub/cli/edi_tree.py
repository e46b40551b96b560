"""What a file holds, as lines of text: a tree, or its verdicts with every error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.edi.files import errors_of

Json = dict[str, Any]
_STEP = "  "


def tree(result: Json) -> Iterator[str]:
    """Yield a file as a tree, from its envelopes down to the last element."""
    yield f"{result['file']}: {result['verdict']}"
    yield from (f"{_STEP}{error['message']}" for error in result["errors"])
    for interchange in result["interchanges"]:
        sides = f"{interchange['sender']} to {interchange['receiver']}"
        usage = "test" if interchange["usage"] == "T" else "production"
        yield f"{_STEP}interchange {interchange['control_number']} from {sides}, {usage}"
        for said in interchange.get("acknowledges", ()):
            yield f"{_STEP * 2}acknowledges {' '.join(f'{k}={v}' for k, v in said.items())}"
        for each in interchange["sets"]:
            yield from _set(each)


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


def verdict_lines(result: Json) -> Iterator[str]:
    """Yield a file's verdict and every error in a line of its own."""
    sets = [each for interchange in result["interchanges"] for each in interchange["sets"]]
    count = len(list(errors_of(result)))
    errors = "no error" if not count else "1 error" if count == 1 else f"{count} errors"
    documents = "1 document" if len(sets) == 1 else f"{len(sets)} documents"
    yield f"{result['file']}: {result['verdict']}, {documents}, {errors}"
    yield from (f"{_STEP}{error['message']} [{error['code']}]" for error in errors_of(result))
