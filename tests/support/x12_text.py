"""X12 interchanges as text, for tests that then break them."""

from __future__ import annotations

from collections.abc import Sequence

ORDER = """
BEG*00*SA*PO-4711**20261120
CUR*BY*USD
REF*DP*038
DTM*002*20261201
N1*BY*ACME DISTRIBUTORS*92*ACME
N1*ST*ACME SPRINGFIELD DC*92*0042
N3*100 MAIN ST*DOCK 4
N4*SPRINGFIELD*IL*62701*US
PO1*1*3*EA*649.40**VN*1896-S*BP*A-10
PID*F****ATHENS DESK
PO1*2*10*EA*125.10**VN*1900-S
PO1*3*2*EA*35.60**VN*1928-S
PID*F****AMSTERDAM LAMP
CTT*3
AMT*TT*3270.40
"""
"""The content of an 850, between ST and SE: 15 segments."""

CHANGE = "BCH*04*SA*PO-4711**2*20261120\nPOC*1*QD*2**EA*649.40**VN*1896-S"
ADVICE = "W06*F*XD1*20261124*SH-1\nN1*SF*LAKESIDE\nLX*1\nW12*CC*3*3**EA**VN*1896-S"
ACCEPTED = "AK1*OW*12\nAK2*940*0001\nAK5*A\nAK9*A*1*1*1"


def lines(text: str) -> list[str]:
    """The segments of a text with one on each line."""
    return [line for line in text.strip("\n").split("\n") if line]


def isa(
    number: str = "000000905",
    sender: str = "ACMEDIST",
    receiver: str = "CROSSDOCK",
    usage: str = "P",
    release: tuple[str, str] = ("U", "00401"),
) -> str:
    """An ISA without its terminator; `release` is ISA11 and ISA12."""
    return (
        f"ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*{receiver:<15}"
        f"*261120*0830*{release[0]}*{release[1]}*{number}*0*{usage}*>"
    )


def transaction_set(identifier: str, content: str, number: str = "0001") -> list[str]:
    """ST to SE."""
    body = lines(content)
    return [f"ST*{identifier}*{number}", *body, f"SE*{len(body) + 2}*{number}"]


def group(
    functional_id: str, sets: Sequence[tuple[str, str]], number: str = "1", version: str = "004010"
) -> list[str]:
    """GS to GE, around sets of (identifier, content)."""
    found = [f"GS*{functional_id}*ACMEDIST*CROSSDOCK*20261120*0830*{number}*X*{version}"]
    for at, (identifier, content) in enumerate(sets, 1):
        found += transaction_set(identifier, content, f"{at:04d}")
    return [*found, f"GE*{len(sets)}*{number}"]


def interchange(*groups: list[str], head: str = "", number: str = "000000905") -> list[str]:
    """ISA to IEA."""
    inner = [segment for each in groups for segment in each]
    return [head or isa(number), *inner, f"IEA*{len(groups)}*{number}"]


def orders(*contents: str) -> list[str]:
    """An interchange with one group of 850s."""
    return interchange(group("PO", [("850", content) for content in contents or (ORDER,)]))


def as_bytes(segments: Sequence[str], terminator: str = "~\n") -> bytes:
    """The segments, each with its terminator."""
    return "".join(segment + terminator for segment in segments).encode()


def changed(segments: Sequence[str], old: str, new: str) -> list[str]:
    """The segments with one text replaced; it must be there."""
    text = "\x00".join(segments)
    assert old in text, old
    return text.replace(old, new).split("\x00")
