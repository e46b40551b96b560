"""What is fuzzed: one function a target, which raises where a promise about bad bytes is broken.

The promises: no error but ours, and only where one is documented; the same result for every way of
cutting the bytes into chunks; whatever is found can be told as JSON; every answer that is owed can
be written, and reads back.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
import yaml

from canonical.errors import Rejected
from connectors.base import Codec, Numbers, Receipt
from connectors.edifact.codec import EdifactCodec
from connectors.edifact.config import EdifactConfig
from connectors.edifact.engine import envelope as edifact_envelope
from connectors.edifact.engine import reader as edifact_reader
from connectors.edifact.inspector import INSPECTOR as EDIFACT
from connectors.transports.as2 import cms
from connectors.transports.as2.entity import parse
from connectors.transports.as2.message import (
    Agreement,
    cms_entity,
    read_message,
    sign_entity,
)
from connectors.transports.as2.names import read_envelope
from connectors.transports.as2.receipts import is_receipt, read_receipt
from connectors.x12.codec import X12Codec
from connectors.x12.config import X12Config
from connectors.x12.engine import envelope as x12_envelope
from connectors.x12.engine import reader as x12_reader
from connectors.x12.inspector import INSPECTOR as X12
from tests.support.as2_keys import NOW, key

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"

_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_NUMBERS = Numbers(interchange=1, group=1, at=_AT)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fuzz."""

    run: Callable[[bytes], None]
    seeds: tuple[Path, ...]
    """Where its first inputs come from, besides its corpus."""
    words: tuple[bytes, ...]
    """What its inputs are made of: a dictionary for mutations."""
    longest: int = 4096


class Broken(AssertionError):
    """A promise about bad bytes is broken."""


def x12(data: bytes) -> None:
    """Read bytes as X12, at once and in pieces, with and without a connection."""
    _same(_x12_events, data)
    orjson.dumps(X12.inspect(data))
    for codec in _x12_codecs():
        _answered(codec, data)


def edifact(data: bytes) -> None:
    """Read bytes as EDIFACT, likewise."""
    _same(_edifact_events, data)
    orjson.dumps(EDIFACT.inspect(data))
    for codec in _edifact_codecs():
        _answered(codec, data)


def as2(data: bytes) -> None:
    """Read bytes as what comes to an AS2 address: a first line says as which part of it.

    ``signed``, ``sealed`` and ``packed`` put the rest into a layer that holds, so that what is
    inside of it is reached; ``cms`` is a bare structure; all else is headers and a body.
    """
    kind, _, rest = data.partition(b"\n")
    wrap = _LAYERS.get(kind)
    if kind == b"cms":
        _structure(rest)
    elif wrap is not None:
        entity = parse(wrap(rest))
        headers = {name.lower(): str(value) for name, value in entity.headers.items()}
        _as2_call(headers, entity.body)
    else:
        head, _, body = data.partition(b"\r\n\r\n")
        lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
        _as2_call({name.lower(): value for name, _, value in lines}, body)


def _same(events: Callable[[Iterable[bytes]], list[Any]], data: bytes) -> None:
    """The same events at once and cut twice, at places that the bytes themselves decide."""
    first = zlib.crc32(data) % (len(data) + 1)
    second = zlib.adler32(data) % (len(data) + 1)
    a, b = sorted((first, second))
    if events((data,)) != events((data[:a], data[a:b], data[b:])):
        raise Broken("the chunks decide what is read")


def _x12_events(chunks: Iterable[bytes]) -> list[Any]:
    return [_told(each) for each in x12_envelope.walk(x12_reader.read(chunks))]


def _edifact_events(chunks: Iterable[bytes]) -> list[Any]:
    return [_told(each) for each in edifact_envelope.walk(edifact_reader.read(chunks))]


def _told(event: Any) -> Any:
    """An event without what says how it was cut."""
    if isinstance(event, x12_reader.Stray | edifact_reader.Stray):
        return event.error.code, event.error.where, event.offset
    segments = getattr(event, "segments", None)
    places = _places(event, len(segments)) if segments else []
    return type(event).__name__, getattr(event, "faults", None), segments, places


def _places(event: Any, count: int) -> list[Any]:
    place = event.offset if isinstance(event, x12_envelope.TransactionSet) else event.place
    return [place(position) for position in {1, count // 2 + 1, count}]


def _answered(codec: Codec, data: bytes) -> None:
    """Decode as from a partner; the answers can be written and read."""
    decoded = codec.decode(Receipt("r", "c", "d", _AT, data))
    if not decoded.documents:
        raise Broken("neither a document nor a refusal")
    for answer in decoded.answers:
        wire = codec.encode(answer.flow, answer.body, _NUMBERS)
        inspector = X12 if isinstance(codec, X12Codec) else EDIFACT
        found = inspector.inspect(wire)
        if not found["ok"]:
            raise Broken(f"an answer that is wrong itself: {answer.flow}")


@cache
def _x12_codecs() -> tuple[Codec, ...]:
    options = _options("x12")
    strict = {**options, "interchange_acknowledge": "errors"}
    lax = {
        **options,
        "strictness": "tolerant",
        "acknowledge": "999",
        "interchange_acknowledge": "always",
        "application_advice": True,
    }
    return tuple(X12Codec(X12Config.model_validate(each)) for each in (strict, lax))


@cache
def _edifact_codecs() -> tuple[Codec, ...]:
    options = _options("edifact")
    lax = {**options, "strictness": "tolerant", "application": "warn", "syntax": "4"}
    return tuple(EdifactCodec(EdifactConfig.model_validate(each)) for each in (options, lax))


def _options(system: str) -> dict[str, Any]:
    path = ROOT / "connectors" / system / "samples" / "options.yaml"
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


@cache
def _agreements() -> tuple[Agreement, ...]:
    us, them = key("us"), key("them")
    strict = Agreement("US", "THEM", (us,), (them.certificate,), max_bytes=100_000)
    lax = Agreement(
        "US",
        "THEM",
        (us,),
        (them.certificate,),
        require_signed=False,
        require_encrypted=False,
        max_bytes=100_000,
    )
    return strict, lax


def _as2_call(headers: dict[str, str], body: bytes) -> None:
    _expect(lambda: read_envelope(headers))
    is_receipt(headers, body)
    for agreement in _agreements():
        _expect(partial(read_message, headers, body, agreement, NOW))
        _expect(partial(read_receipt, headers, body, agreement, (False, NOW)))


def _structure(der: bytes) -> None:
    us, them = key("us"), key("them")
    _expect(lambda: cms.kind_of(der))
    _expect(lambda: cms.content_of(der))
    _expect(lambda: cms.decrypt(der, (us,)))
    _expect(lambda: cms.decompress(der, 100_000))
    _expect(lambda: cms.verify(der, [b"payload"], (them.certificate,), NOW))


def _expect(step: Callable[[], object]) -> None:
    """A step may refuse with an error of ours, and with no other."""
    try:
        step()
    except Rejected as error:
        if not error.code.isidentifier():
            raise Broken("a code that is no word") from error


def _signed(entity: bytes) -> bytes:
    return sign_entity(entity, key("them"))


def _sealed(entity: bytes) -> bytes:
    sealed = cms.encrypt(entity, key("us").certificate, "aes256")
    return cms_entity(sealed, "enveloped-data", "smime.p7m")


def _packed(entity: bytes) -> bytes:
    return cms_entity(cms.compress(entity), "compressed-data", "smime.p7z")


_LAYERS = {b"signed": _signed, b"sealed": _sealed, b"packed": _packed}


def _own(*folders: str) -> tuple[Path, ...]:
    return tuple(ROOT / folder for folder in folders)


TARGETS = {
    "x12": Target(
        x12,
        _own("connectors/x12/samples"),
        (
            b"ISA*", b"GS*PO*", b"GS*FA*", b"ST*850*0001", b"SE*", b"GE*1*1", b"IEA*1*", b"TA1*",
            b"BIN*5*", b"BDS*ASB*3*", b"PO1*1*", b"HL*1**S", b"CTT*", b"TDS*", b"~", b"*", b">",
            b"\r\n", b"\xef\xbb\xbf", b"\xc2\xa6", b"\xe2\x80\xa6", b"00401", b"005010", b"004010",
            b"^", b"ISB*", b"ISE*", b"AK1*", b"AK2*", b"N1*ST*", b"SAC*C*", b"LIN*", b"REF*",
        ),
    ),
    "edifact": Target(
        edifact,
        _own("connectors/edifact/samples"),
        (
            b"UNA:+.? '", b"UNB+UNOC:3+", b"UNH+1+ORDERS:D:96A:UN:EAN008'", b"UNT+", b"UNZ+1+",
            b"UNG+", b"UNE+", b"UNS+S'", b"?'", b"??", b"?+", b"?:", b"?", b"'", b"+", b":", b"*",
            b"LIN+1++", b"QTY+21:", b"BGM+220+", b"DTM+137:20261120:102", b"CNT+2:1", b"MOA+",
            b"\r\n", b"\xef\xbb\xbf", b"UNOY:4", b"UNOX:3", b"\x1c", b"\x1d", b"\x1f", b"UIB+",
            b"\x1b$B", b"\x1b(B", b"\x1b$)C", b"\x0e", b"\x0f", b"\x1b.A", b"\x1bN", b"\x1b-F", b"\x1b$(G",
        ),
    ),
    "as2": Target(
        as2,
        (),
        (
            b"signed\n", b"sealed\n", b"packed\n", b"cms\n", b"\r\n\r\n", b"\r\n",
            b"content-type: ", b"multipart/signed; boundary=", b"multipart/report; boundary=",
            b"application/pkcs7-mime; smime-type=enveloped-data", b"application/edi-x12",
            b"content-transfer-encoding: base64", b"content-transfer-encoding: quoted-printable",
            b"message/disposition-notification", b"disposition: ", b"as2-from: ", b"as2-to: ",
            b"message-id: <1@x>", b"original-message-id: ", b"received-content-mic: ", b"--b",
            b"disposition-notification-to: ", b"disposition-notification-options: ",
            b"receipt-delivery-option: ", b"\x30\x80", b"\x06\x09", b"\x24\x80", b"\x00\x00",
        ),
    ),
}  # fmt: skip
"""Name -> target."""


def inputs(target: str, folder: Path = CORPUS) -> Iterator[Path]:
    """The kept inputs of a target, in the order of their names."""
    yield from sorted(path for path in (folder / target).iterdir() if path.is_file())
