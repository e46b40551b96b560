"""MIME entities as the very bytes that were signed: headers, a blank line, a body.

The standard library's parser reads headers and parameters; it is not asked for bodies, as it does
not give back the bytes over which signatures and MICs are computed. Code: ``as2_unsupported_format``.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from connectors.transports.as2.refusals import unreadable

_MOST_HEADER_BYTES = 16_384
_MOST_PARTS = 8
_LONGEST_BOUNDARY = 200  # RFC 2046 allows 70; some products write more
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_ASIS = {"", "7bit", "8bit", "binary"}


@dataclass(frozen=True, slots=True)
class Entity:
    """One MIME entity."""

    raw: bytes
    """Headers, blank line and body, as they came; what a signature covers."""
    headers: Message
    body: bytes

    @property
    def media_type(self) -> str:
        """Its type in lower case; ``text/plain`` where it says none (RFC 2045 section 5.2)."""
        return self.headers.get_content_type()

    @property
    def is_binary(self) -> bool:
        """Whether it says that line ends are data."""
        return self._encoding() == "binary"

    def parameter(self, name: str) -> str:
        """A parameter of its Content-Type, or ""."""
        found = self.headers.get_param(name)
        if isinstance(found, tuple):  # RFC 2231: charset, language, text
            found = found[2]
        return found if isinstance(found, str) else ""

    def file_name(self) -> str:
        """The name that the sender gave it, or ""; not safe in any folder."""
        return self.headers.get_filename() or ""

    def content(self) -> bytes:
        """Its body without the Content-Transfer-Encoding.

        Raises:
            Rejected: ``as2_unsupported_format``.

        """
        encoding = self._encoding()
        if encoding in _ASIS:
            return self.body
        if encoding == "base64":
            return _unbase64(self.body)
        if encoding == "quoted-printable":
            return quopri.decodestring(self.body)
        raise unreadable("an unknown Content-Transfer-Encoding")

    def parts(self) -> list[Entity]:
        """The parts of a multipart, at most eight.

        Raises:
            Rejected: ``as2_unsupported_format``.

        """
        boundary = self.parameter("boundary").encode("latin-1", "replace")
        if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
            raise unreadable("a multipart without a boundary")
        return [parse(raw) for raw in _between(self.content(), boundary)]

    def _encoding(self) -> str:
        return str(self.headers.get("content-transfer-encoding", "")).strip().lower()


def parse(raw: bytes) -> Entity:
    """Read an entity.

    Raises:
        Rejected: ``as2_unsupported_format``.

    """
    if raw.startswith((b"\r\n", b"\n")):  # no headers at all: text/plain
        return Entity(raw, Message(), raw[2 if raw.startswith(b"\r") else 1 :])
    end = _BLANK_LINE.search(raw, 0, _MOST_HEADER_BYTES)
    if end is None:
        raise unreadable("a MIME part without an end of its headers")
    return Entity(raw, _headers(raw[: end.start()]), raw[end.end() :])


def of_request(headers: Mapping[str, str], body: bytes) -> Entity:
    """The entity that an HTTP message is: its content headers, and its body.

    Raises:
        Rejected: ``as2_unsupported_format``.

    """
    names = ("content-type", "content-transfer-encoding", "content-disposition")
    lines = [f"{name}: {headers[name]}" for name in names if name in headers]
    head = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
    written = head.encode("latin-1", "replace")
    if len(written) > _MOST_HEADER_BYTES:
        raise unreadable("content headers that are too long")
    return Entity(written + b"\r\n\r\n" + body, _headers(written), body)


def _headers(head: bytes) -> Message:
    try:
        return BytesHeaderParser().parsebytes(head + b"\r\n\r\n")
    except (ValueError, LookupError, TypeError) as error:
        raise unreadable("MIME headers that cannot be read") from error


def canonical_lines(raw: bytes) -> bytes:
    """The same with CRLF for every line end (RFC 5751 section 3.1.1)."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _unbase64(body: bytes) -> bytes:
    try:
        return base64.b64decode(_NO_BASE64.sub(b"", body), validate=True)
    except (binascii.Error, ValueError) as error:
        raise unreadable("a body that is not base64") from error


def _between(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between delimiters; the line end before a delimiter belongs to it (RFC 2046)."""
    delimiter = re.compile(
        rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)", re.DOTALL
    )
    parts: list[bytes] = []
    start: int | None = None
    for found in delimiter.finditer(body):
        if start is not None:
            parts.append(body[start : found.start()])
        if len(parts) > _MOST_PARTS:
            raise unreadable("a multipart of too many parts")
        if found[1]:
            return parts
        start = found.end() + (2 if body[found.end() : found.end() + 2] == b"\r\n" else 1)
    raise unreadable("a multipart without its closing boundary")
