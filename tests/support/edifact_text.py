"""EDIFACT text for tests: whole messages, interchanges around them, and changes to both."""

from __future__ import annotations

ORDER = (
    "BGM+220+PO-4711+9'DTM+137:20261120:102'DTM+2:20261205:102'FTX+DEL+++RING AT GATE 3'"
    "RFF+CT:C-88'NAD+BY+4012345500004::9'NAD+SU+5412345000013::9'"
    "NAD+DP+4012345500011::9++ACME WAREHOUSE+100 MAIN ST+HAMBURG++20095+DE'"
    "CUX+2:EUR:9'LIN+1++5412345111115:SRV'PIA+1+1896-S:SA+A-10:IN'"
    "IMD+F++:::DESK'QTY+21:3:PCE'PRI+AAA:649.40'LIN+2++5412345111122:SRV'"
    "PIA+1+1928-S:SA'QTY+21:12'PRI+AAA:35.60'UNS+S'CNT+2:2'"
)
"""An ORDERS of two lines, without UNH and UNT."""

CHANGE = (
    "BGM+230+PO-4711-C1+4'DTM+137:20261122:102'RFF+ON:PO-4711'NAD+BY+4012345500004::9'"
    "NAD+SU+5412345000013::9'CUX+2:EUR:9'LIN+1+3+5412345111115:SRV'QTY+21:2:PCE'UNS+S'"
)

CONTRL = "UCI+17+5412345000013:14+4012345500004:14+7'"
"""What a partner says to our interchange 17."""


def message(
    content: str, kind: str = "ORDERS", version: str = "D:96A", reference: str = "1"
) -> str:
    """A whole message around its content."""
    count = content.replace("?'", "").count("'") + 2
    return f"UNH+{reference}+{kind}:{version}:UN'{content}UNT+{count}+{reference}'"


def interchange(*messages: str, reference: str = "905", syntax: str = "UNOC:3") -> str:
    """An interchange from the partner to us around whole messages."""
    return (
        f"UNB+{syntax}+4012345500004:14+5412345000013:14+261120:0830+{reference}'"
        f"{''.join(messages)}UNZ+{len(messages)}+{reference}'"
    )


def group(*messages: str, reference: str = "7", kind: str = "ORDERS") -> str:
    """A group around whole messages."""
    head = f"UNG+{kind}+4012345500004:14+5412345000013:14+261120:0830+{reference}+UN+D:96A'"
    return f"{head}{''.join(messages)}UNE+{len(messages)}+{reference}'"


def orders(*contents: str) -> str:
    """An interchange of ORDERS."""
    each = contents or (ORDER,)
    return interchange(*(message(text, reference=str(at)) for at, text in enumerate(each, 1)))
