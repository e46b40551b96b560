"""The documents of a file as papers: all that a guide exists for, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from canonical.errors import Rejected
from connectors.inspectors import INSPECTORS
from connectors.paper import Paper
from hub.edi.files import Judge, looking


def papers(path: Path) -> Iterator[Paper]:
    """Yield the documents of a file, right or wrong, as far as they could be read.

    Raises:
        Rejected: ``format_unknown``.
        OSError: it cannot be read.
    """
    with looking(path, Judge()) as looked:
        if looked.system is None:
            raise Rejected("format_unknown", path.name, "no format that is known")
        inspector = INSPECTORS[looked.system]
        for kind, each in looked.parts():
            paper = inspector.paper(each) if kind == "set" else None
            if paper is not None:
                yield paper
