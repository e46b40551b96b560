"""How a host function refuses its argument; the engine turns it into a `Rejected` with a place."""

from __future__ import annotations


class Refused(Exception):
    """A host function cannot do what the mapping asks; never crosses `hub.mapping`.

    Args:
        code: a bounded word of `hub.mapping.engine`, or the one that a mapping gave to `$fail`.
        detail: what was expected, in plain words; never the value.
        value: the value that was refused, so that the engine can look up where it stands in the
            source; it is never written anywhere.
        where: the place, where the mapping itself named it (`$fail`).

    """

    def __init__(self, code: str, detail: str, *, value: object = None, where: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.value = value
        self.where = where
