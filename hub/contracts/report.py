"""Results for readers: a page for people in business, JUnit XML for machines that build."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from xml.etree import ElementTree as ET

from hub.contracts.outcome import Checked, Outcome

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;color:#1c1c1c}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
td,th{border-bottom:1px solid #ddd;padding:.4rem .6rem;text-align:left;vertical-align:top}
.green{color:#0a6b2d}.red{color:#a40000}.pending{color:#7a5b00}
pre{white-space:pre-wrap;margin:0;font-size:13px}
"""
_WORDS = {"green": "holds", "red": "does not hold", "pending": "new, does not hold yet"}


def html(checked: Sequence[Checked]) -> str:
    """One page that needs nothing else; everything of a partner is escaped."""
    holding = sum(each.holds for each in checked)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Contracts</title><style>{_STYLE}</style></head><body>",
        f"<h1>Contracts</h1><p>{holding} of {len(checked)} hold.</p>",
    ]
    parts += [_section(each) for each in checked]
    return "".join([*parts, "</body></html>"])


def _section(checked: Checked) -> str:
    head = (
        f'<h2>{escape(checked.contract)} <small class="{checked.state}">'
        f"{_WORDS[checked.state]}</small></h2>"
        f"<p>Partner {escape(checked.partner)}, {escape(checked.system)}, version "
        f"{escape(checked.version)}; ask {escape(checked.owner)}."
    )
    if checked.deprecated_on:
        head += f" Deprecated on {escape(checked.deprecated_on)}."
    rows = "".join(_row(each) for each in checked.outcomes)
    return f"{head}</p><table><tr><th>example</th><th>result</th><th>why</th></tr>{rows}</table>"


def _row(outcome: Outcome) -> str:
    state = "red" if outcome.problems else "green"
    lines = [*outcome.problems, *(f"not relied on: {note}" for note in outcome.notes)]
    why = f"<pre>{escape(chr(10).join(lines))}</pre>" if lines else ""
    return (
        f'<tr><td>{escape(outcome.name)}</td><td class="{state}">{_WORDS[state]}</td>'
        f"<td>{why}</td></tr>"
    )


def junit(checked: Sequence[Checked]) -> bytes:
    """JUnit XML: a suite for each contract, a case for each example."""
    root = ET.Element("testsuites")
    for each in checked:
        failed = sum(bool(outcome.problems) for outcome in each.outcomes)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=each.contract,
            tests=str(len(each.outcomes)),
            failures=str(0 if each.pending else failed),
            skipped=str(failed if each.pending else 0),
        )
        for outcome in each.outcomes:
            case = ET.SubElement(suite, "testcase", classname=each.contract, name=outcome.name)
            if outcome.problems:
                tag = "skipped" if each.pending else "failure"
                found = ET.SubElement(case, tag, message=_xml_text(outcome.problems[0]))
                found.text = _xml_text("\n".join(outcome.problems))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _xml_text(text: str) -> str:
    """The text without what XML 1.0 (section 2.2) cannot hold."""
    return "".join(
        c
        if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff"
        else "?"
        for c in text
    )
