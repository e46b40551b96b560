"""Looking into files for `crossdock edi`: which format, what it holds, as rows for a table.

Codes: ``format_unknown`` (no inspector recognises the bytes), ``file_too_large``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from canonical.errors import Rejected
from connectors.inspectors import INSPECTORS

MOST_BYTES = 128_000_000
"""Files beyond this are refused: they are looked into as a whole."""


async def look(file: Path) -> dict[str, Any]:
    """Return what an inspector says of a file; see `connectors.inspectors.Inspector`.

    Raises:
        Rejected: ``file_too_large``.
        OSError: the file cannot be read.
    """
    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Rejected("file_too_large", file.name, f"more than {MOST_BYTES} bytes")
    for inspector in INSPECTORS.values():
        if inspector.recognises(data):
            return inspector.inspect(data)
    unknown = {"code": "format_unknown", "where": "byte 0", "detail": "no format that is known"}
    return {"ok": False, "errors": [{"level": "syntax", **unknown}], "interchanges": []}


def bodiless(found: dict[str, Any]) -> dict[str, Any]:
    """Return what was found without the documents themselves."""
    interchanges = [
        {
            **each,
            "sets": [{k: v for k, v in one.items() if k != "body"} for one in each["sets"]],
        }
        for each in found["interchanges"]
    ]
    return {**found, "interchanges": interchanges}


def set_rows(file: Path, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return one row for each transaction set."""
    for interchange in found["interchanges"]:
        for each in interchange["sets"]:
            yield {
                "file": file.name,
                "interchange": interchange["control_number"],
                "group": each["group"],
                "set": each["type"],
                "number": each["control_number"],
                "version": each["version"],
                "segments": each["segments"],
                "verdict": each["verdict"],
            }


def error_rows(file: Path, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return one row for each error of the file, its interchanges and their sets."""
    for error in found["errors"]:
        yield {"file": file.name, **error}
    for interchange in found["interchanges"]:
        whole = {"file": file.name, "interchange": interchange["control_number"]}
        for error in interchange["errors"]:
            yield whole | error
        for each in interchange["sets"]:
            place = whole | {"set": f"{each['type']} {each['control_number']}"}
            for error in each["errors"]:
                yield place | error
