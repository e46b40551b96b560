"""Bytes to text by the syntax identifier of UNB (data element 0001), and back.

Real files often carry UTF-8 under any of them. Bytes beyond ASCII that are valid UTF-8 are
practically never anything else, so UTF-8 is tried first, one segment at a time.
"""

from __future__ import annotations

from connectors.edifact.engine import marks
from connectors.edifact.engine.iso2022 import unmarked

CODE_EXTENSION = "iso2022"
"""The codec of UNOX: read by `iso2022`, as what is no delimiter must be known before any is looked for."""

_CODECS = {
    "A": "cp1252", "B": "cp1252", "C": "cp1252", "D": "iso8859-2", "E": "iso8859-5",
    "F": "iso8859-7", "G": "iso8859-3", "H": "iso8859-4", "I": "iso8859-6", "J": "iso8859-8",
    "K": "iso8859-9", "L": "iso8859-15", "M": "iso8859-13", "N": "iso8859-16", "W": "utf-8",
    "X": CODE_EXTENSION, "Y": "utf-8",
}  # fmt: skip
"""Last letter of UNOx -> how bytes that are no UTF-8 are read. A and B know ASCII only and C
ISO 8859-1; Windows-1252 agrees with it on all printable characters and is what is really sent."""

_WRITTEN = {
    "A": "ascii", "B": "ascii", "C": "iso8859-1", **{k: v for k, v in _CODECS.items() if k > "C"},
    "X": "iso2022_jp_2",
}  # fmt: skip
"""ISO-2022-JP-2 (RFC 1554) calls in what it needs: Japanese, Chinese, Korean, Greek, Latin 1; and is
back in ASCII for every delimiter."""

_AGENCY = "UNO"
_CODE_LENGTH = 4


def codec_of(identifier: str) -> str:
    """The codec for a syntax identifier.

    Other agencies (IATA, IATB, IBMA ...) are read as UNOC: their sets are ASCII's.
    """
    if not identifier.startswith(_AGENCY) or len(identifier) != _CODE_LENGTH:
        return "cp1252"
    return _CODECS.get(identifier[3], "cp1252")


def written_as(identifier: str) -> str:
    """The codec that text is written with under a syntax identifier that we use."""
    return _WRITTEN[identifier[3]]


def to_text(wire: str, codec: str) -> str:
    """A segment as latin-1 characters and stand-ins -> text.

    What no character is becomes U+FFFD, which the check of elements refuses.
    """
    if wire.isascii():
        return wire
    if codec == CODE_EXTENSION:
        return unmarked(wire)
    pieces = marks.parts(wire)
    raw = [piece.encode("latin-1") for piece in pieces[::2]]
    try:
        b"".join(raw).decode("utf-8")
        codec = "utf-8"
    except UnicodeDecodeError:
        pass
    for at, piece in enumerate(raw):
        text = piece.decode(codec, "replace")
        pieces[2 * at] = "".join("\ufffd" if marks.has_any(c) else c for c in text)
    return "".join(pieces)
