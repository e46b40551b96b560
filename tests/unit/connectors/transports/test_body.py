"""Bodies under two caps: bombs are cut, lies are refused, honest bodies pass."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import Rejected
from connectors.transports.body import read_capped

CAP = 100_000
WIDE = 10_000_000


class Chunks:
    """A body in pieces, which counts how many were asked for."""

    def __init__(self, body: bytes, size: int = 1000) -> None:
        self.pieces = [body[i : i + size] for i in range(0, len(body), size)]
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.read += 1
            yield piece


async def _read(body: bytes, encoding: str = "", size: int = 1000) -> bytes:
    return await read_capped(aiter(Chunks(body, size)), encoding, CAP, WIDE)


async def _refusal(body: bytes, encoding: str) -> tuple[str, str]:
    with pytest.raises(Rejected) as refused:
        await _read(body, encoding)
    return refused.value.code, refused.value.where


def _bare(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
async def test_a_body_without_encoding_comes_back_as_sent(encoding: str) -> None:
    assert await _read(b"abc" * 1000, encoding) == b"abc" * 1000


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_compressed_bodies_are_undone_in_pieces_of_any_size(size: int) -> None:
    body = b'{"sku": "1896-S"}' * 5000
    assert await _read(gzip.compress(body), "gzip", size) == body
    assert await _read(gzip.compress(body), "X-GZIP", size) == body
    assert await _read(zlib.compress(body), "deflate", size) == body
    assert await _read(_bare(body), "deflate", size) == body


async def test_gzip_members_may_follow_each_other() -> None:
    assert await _read(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip") == b"one two"


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
async def test_no_body_at_all_is_empty_not_an_error(encoding: str) -> None:
    assert await _read(b"", encoding) == b""


async def test_a_body_over_the_cap_is_not_read_to_its_end() -> None:
    chunks = Chunks(b"x" * (10 * CAP))
    with pytest.raises(Rejected) as refused:
        await read_capped(aiter(chunks), "", CAP, WIDE)
    assert (refused.value.code, refused.value.where) == ("body_too_large", "max_body")
    assert chunks.read == CAP // 1000 + 1


@pytest.mark.parametrize("wrap", [gzip.compress, zlib.compress, _bare])
async def test_a_bomb_is_cut_at_the_cap(wrap: object) -> None:
    assert callable(wrap)
    bomb = wrap(b"\0" * (WIDE + 1))
    encoding = "gzip" if wrap is gzip.compress else "deflate"
    assert await _refusal(bomb, encoding) == ("body_too_large", "max_decompressed")


async def test_a_body_of_exactly_the_caps_passes() -> None:
    assert len(await _read(b"x" * CAP)) == CAP
    assert len(await _read(gzip.compress(b"\0" * WIDE), "gzip")) == WIDE


async def test_a_compressed_body_over_the_first_cap_is_refused_before_the_second() -> None:
    stored = gzip.compress(b"x" * (2 * CAP), compresslevel=0)
    assert await _refusal(stored, "gzip") == ("body_too_large", "max_body")


# The time of a gzip member is in its bytes: without one, every test process collects the same cases.
_ABC = gzip.compress(b"abc", mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"not gzip", id="not gzip"),
        pytest.param(_ABC[:-1], id="a byte short"),
        pytest.param(_ABC[:5], id="half a header"),
        pytest.param(_ABC + b"trailing", id="more behind it"),
        pytest.param(_ABC[:-8] + b"\0" * 8, id="another checksum"),
        pytest.param(gzip.compress(b"", mtime=0) * 1000, id="a thousand empty members"),
    ],
)
async def test_what_is_not_whole_gzip_is_refused(body: bytes) -> None:
    assert await _refusal(body, "gzip") == ("encoding_invalid", "content-encoding")


@pytest.mark.parametrize(
    "body",
    [b"\xff\xff", zlib.compress(b"abc")[:-1], zlib.compress(b"abc") + b"x", _bare(b"abc")[:-1]],
)
async def test_what_is_not_whole_deflate_is_refused(body: bytes) -> None:
    assert await _refusal(body, "deflate") == ("encoding_invalid", "content-encoding")


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "g\u00e9zip", "*"])
async def test_other_encodings_are_refused_by_name(encoding: str) -> None:
    assert await _refusal(b"abc", encoding) == ("encoding_unsupported", "content-encoding")


async def test_an_error_of_the_connection_passes_through() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await read_capped(broken(), "", CAP, WIDE)


@given(body=st.binary(max_size=300), encoding=st.sampled_from(["", "gzip", "deflate"]))
async def test_any_bytes_give_a_body_or_a_refusal(body: bytes, encoding: str) -> None:
    code = ""
    try:
        await _read(body, encoding, size=50)
    except Rejected as refused:
        code = refused.code
    assert code in {"", "encoding_invalid", "body_too_large"}
