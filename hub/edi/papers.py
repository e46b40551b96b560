"""The documents of a file as papers: all that a guide exists for, in their order."""

from __future__ import annotations

from collections.abc import Iterator

from canonical.errors import Rejected
from connectors.inspectors import INSPECTORS
from connectors.paper import Paper
from hub.edi.files import Opened


def papers(file: Opened) -> Iterator[Paper]:
    """Yield the documents of a file, right or wrong, as far as they could be read.

    Raises:
        Rejected: ``format_unknown``.
    """
    if file.system is None:
        raise Rejected("format_unknown", file.path.name, "no format that is known")
    inspector = INSPECTORS[file.system]
    for interchange in inspector.inspect(file.data)["interchanges"]:
        for each in interchange["sets"]:
            paper = inspector.paper(each)
            if paper is not None:
                yield paper
