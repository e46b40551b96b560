"""Request bodies read under two caps: bytes as sent, and bytes after decompression.

A 97 kB gzip body can hold 100 MB. Nothing is buffered beyond the caps, and decompression runs in
small steps, so that one body never holds the event loop.

Codes, all `Rejected`; `where` is the cap or the header that refused:

=========================  ======================================================================
``body_too_large``         more than `max_body` bytes as sent, or `max_decompressed` after it
``encoding_unsupported``   a Content-Encoding other than identity, gzip and deflate
``encoding_invalid``       not what Content-Encoding says, cut short, or followed by something
=========================  ======================================================================
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from canonical.errors import Rejected

_STEP = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS  # zlib's own notation for the gzip wrapper (RFC 1952)
_CM = 8
_MOST_MEMBERS = 100
_HEADER = "content-encoding"


def uncounted(size: int) -> None:
    """Let bytes be in memory without telling anybody."""


async def read_capped(
    chunks: AsyncIterator[bytes],
    encoding: str,
    max_body: int,
    max_decompressed: int,
    taken: Callable[[int], None] = uncounted,
) -> bytes:
    """Read a request body and undo its Content-Encoding (RFC 9110 section 8.4).

    Args:
        chunks: the body as it arrives; not read any further once a cap is passed.
        encoding: the Content-Encoding header; "" where there is none.
        max_body: most bytes as sent.
        max_decompressed: most bytes after decompression.
        taken: told of what decompression adds, as it does; what it raises ends the reading.

    Raises:
        Rejected: ``body_too_large``, ``encoding_unsupported`` or ``encoding_invalid``.

    """
    wrapper = _wrapper(encoding)
    if wrapper is None:
        return bytes(await _plain(chunks, max_body))
    inflated = _Inflated(wrapper, max_decompressed, taken)
    sent = 0
    async for chunk in chunks:
        sent += len(chunk)
        _refuse_above(sent, max_body, "max_body")
        await inflated.feed(chunk)
    return inflated.finish()


async def _plain(chunks: AsyncIterator[bytes], max_body: int) -> bytearray:
    body = bytearray()
    async for chunk in chunks:
        _refuse_above(len(body) + len(chunk), max_body, "max_body")
        body += chunk
    return body


def _wrapper(encoding: str) -> str | None:
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return None
    if name in {"gzip", "x-gzip"}:  # RFC 9110 section 8.4.1.3 makes them the same
        return "gzip"
    if name == "deflate":
        return "deflate"
    raise Rejected("encoding_unsupported", _HEADER, "expected identity, gzip or deflate")


def _refuse_above(size: int, cap: int, where: str) -> None:
    if size > cap:
        raise Rejected("body_too_large", where, f"expected at most {cap} bytes")


@dataclass(slots=True)
class _Inflated:
    wrapper: str
    cap: int
    taken: Callable[[int], None]
    body: bytearray = field(default_factory=bytearray)
    stream: zlib._Decompress | None = None
    members: int = 0

    async def feed(self, chunk: bytes) -> None:
        rest = chunk
        while rest:
            if self.stream is None:
                self.stream = self._open(rest[0])
            rest = self._step(self.stream, rest)
            if rest:
                await asyncio.sleep(0)

    def _open(self, first: int) -> zlib._Decompress:
        self.members += 1
        if self.members > _MOST_MEMBERS:
            raise Rejected("encoding_invalid", _HEADER, f"expected at most {_MOST_MEMBERS} members")
        if self.wrapper == "gzip":
            return zlib.decompressobj(_GZIP)
        # "deflate" means zlib (RFC 9110 section 8.4.1.2), yet some send the stream bare. A zlib
        # header's first byte ends in 8 (RFC 1950, CM); a bare stream's would only if a stored
        # block had padding that is not zero (RFC 1951 section 3.2.4).
        return zlib.decompressobj(zlib.MAX_WBITS if first & 0x0F == _CM else -zlib.MAX_WBITS)

    def _step(self, stream: zlib._Decompress, rest: bytes) -> bytes:
        try:
            # One byte above the cap is enough to know that the cap is passed.
            more = stream.decompress(rest, min(_STEP, self.cap - len(self.body) + 1))
        except zlib.error:
            raise Rejected("encoding_invalid", _HEADER, f"expected {self.wrapper}") from None
        self.taken(len(more))
        self.body += more
        _refuse_above(len(self.body), self.cap, "max_decompressed")
        if not stream.eof:
            return stream.unconsumed_tail
        if stream.unused_data and self.wrapper != "gzip":
            raise Rejected("encoding_invalid", _HEADER, "expected nothing after the end")
        self.stream = None  # RFC 1952 section 2.2: gzip members may follow each other
        return stream.unused_data

    def finish(self) -> bytes:
        if self.stream is not None:
            self._step(self.stream, b"")  # zlib may hold back the end of what it has read
        if self.stream is not None:
            raise Rejected("encoding_invalid", _HEADER, f"expected {self.wrapper}, whole")
        return bytes(self.body)
