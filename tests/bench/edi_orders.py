"""ORDERS of twelve lines in EDIFACT, like the X12 850s of `tests.bench.orders`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.orders import ITEMS, LINES


def interchange(n: int) -> bytes:
    """Return order `n` as one interchange: 73 segments, about 1.9 kB."""
    segments = [*_heading(n), *_lines(n), "UNS+S", f"CNT+2:{LINES}"]
    return "'".join(
        [
            f"UNB+UNOC:3+4012345500004:14+5412345000013:14+261120:1000+{n}",
            "UNH+1+ORDERS:D:96A:UN:EAN008",
            *segments,
            f"UNT+{len(segments) + 2}+1",
            f"UNZ+1+{n}'",
        ]
    ).encode()


def _heading(n: int) -> list[str]:
    return [
        f"BGM+220+PO-{n:08}+9",
        "DTM+137:20261120:102",
        "DTM+2:20261127:102",
        "RFF+CT:C-88",
        "NAD+BY+4012345500004::9",
        "NAD+SU+5412345000013::9",
        f"NAD+DP+4012345500011::9++ACME STORE {n % 977:03}+{100 + n % 8999} WAREHOUSE WAY+ATLANTA++31772+US",
        "CUX+2:EUR:9",
    ]


def _lines(n: int) -> Iterator[str]:
    for position, (sku, price) in enumerate(ITEMS.items()):
        quantity = 1 + n // 10**position % 10
        yield f"LIN+{position + 1}++5412345111115:SRV"
        yield f"PIA+1+{sku}:SA+ACME-{70_000 + position}:IN"
        yield "IMD+F++:::ATHENS DESK, OAK VENEER"
        yield f"QTY+21:{quantity}:PCE"
        yield f"PRI+AAA:{price}"
