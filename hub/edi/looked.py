"""A file that was looked into, told part by part, so that it may be of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.report import Report, interchanges

Json = dict[str, Any]
_HEADERS = {"edifact": "UNH", "x12": "ST"}
"""What a document begins with, by format."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is in a file and what is wrong with it; see `connectors.report`."""

    path: Path
    system: str | None
    """Its format, as `connectors.inspectors` names it; None: none that is known."""
    report: Report
    vouched: bool = False
    """What no guide could check is wrong: nobody may take it for checked."""

    @property
    def ok(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.faults

    @property
    def faults(self) -> int:
        """How many errors there are."""
        return self.report.faults + (self.report.unchecked if self.vouched else 0)

    def head(self) -> Json:
        """What is said of the file as a whole."""
        known = {"format": self.system} if self.system else {}
        verdict = {"ok": self.ok, "verdict": self.report.verdict}
        return {"file": str(self.path), **known, **verdict}

    def errors(self) -> Iterator[Json]:
        """Yield what is wrong with the file, its interchanges and groups."""
        return self.report.errors()

    def parts(self) -> Iterator[tuple[str, Json]]:
        """Yield what the file holds, as `Report.parts` does."""
        for kind, value in self.report.parts():
            yield kind, self._set(value) if kind == "set" else value

    def all_errors(self) -> Iterator[Json]:
        """Yield all errors: the file's, then those of its sets in their order."""
        yield from self.errors()
        for kind, value in self.parts():
            if kind == "set":
                yield from value["errors"]

    def whole(self) -> Json:
        """All of it, as one object."""
        errors = {"errors": list(self.errors())}
        return {**self.head(), **errors, "interchanges": interchanges(self.parts())}

    def _set(self, one: Json) -> Json:
        errors = [*one["errors"], *self._unchecked(one)]
        return {**one, "errors": errors}

    def _unchecked(self, one: Json) -> Iterator[Json]:
        if self.vouched and one["verdict"] == "unchecked":
            header = _HEADERS.get(self.system or "", "")
            subject = " ".join(filter(None, (one["type"], header, one["control_number"])))
            words = f"no guide for this document in version {one['version'] or '?'}"
            error = {"level": "guide", "code": "set_unsupported", "where": ""}
            yield error | {"detail": "no guide for it", "message": f"{subject}: {words}"}
