"""Findings as one HTML page that stands alone: no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

from hub.reconcile.charts import Bar, bars
from hub.reconcile.report import Sum, Summary

_MOST_ROWS = 5000
"""Rows of the table; the charts count all."""
_MOST_BARS = 15
_COLUMNS = (
    ("age", "Age"), ("job", "Job"), ("about", "About"), ("partner", "Partner"),
    ("amount", "Money"), ("currency", ""), ("owner", "Owner"), ("state", "State"),
    ("cause", "Cause"), ("remedy", "Remedy"), ("details", "Details"),
)  # fmt: skip
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6b7b;--line:#d5dde5;--bar:#2f6f9f;--page:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa9b8;--line:#34414d;--bar:#5ea3d6;
--page:#12181f}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:2rem auto;
max-width:1200px;padding:0 1rem}h1{font-size:1.4rem;margin:0}p{color:var(--soft)}
figure{margin:1.5rem 0;overflow-x:auto}figcaption{font-weight:600;margin-bottom:.5rem}
svg text{font-size:13px;fill:var(--ink)}svg .name{fill:var(--soft)}svg rect{fill:var(--bar)}
.sums{display:flex;gap:2rem;flex-wrap:wrap;margin:1rem 0}.sums b{display:block;font-size:1.5rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
td.amount{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.age{white-space:nowrap}
"""


def as_page(rows: Sequence[Mapping[str, Any]], summary: Summary, now: datetime) -> str:
    """Return the page.

    Args:
        rows: findings, as `hub.reconcile.report.aged` makes them.
        summary: of the same findings.
        now: when it was made.
    """
    shown = rows[:_MOST_ROWS]
    more = f", the oldest {len(shown)} of them below" if len(shown) < len(rows) else ""
    charts = "".join(
        (
            bars("Findings by age", [_counted(each) for each in summary.by_age]),
            *_money("Money by age", summary.by_age),
            *_money("Money by partner", summary.by_partner),
            *_money("Money by cause", summary.by_cause),
            bars("Findings by job", [_counted(each) for each in summary.by_job]),
            bars("Findings by owner", [_counted(each) for each in summary.by_owner]),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Reconciliation</title><style>{_STYLE}</style></head><body>"
        f"<h1>Reconciliation</h1><p>{now:%Y-%m-%d %H:%M} UTC: {len(rows)} findings{more}.</p>"
        f"{_sums(summary.total)}{charts}{_table(shown)}</body></html>\n"
    )


def _sums(total: Sum) -> str:
    tiles = [f"<div><b>{total.count}</b>findings</div>"]
    tiles += [
        f"<div><b>{amount:,.2f}</b>{escape(currency)}</div>"
        for currency, amount in sorted(total.money.items())
    ]
    if total.unpriced:
        tiles.append(f"<div><b>{total.unpriced}</b>without a known amount</div>")
    return f'<div class="sums">{"".join(tiles)}</div>'


def _counted(each: Sum) -> Bar:
    return Bar(each.name, each.count, str(each.count))


def _money(title: str, sums: Iterable[Sum]) -> list[str]:
    """One chart a currency: amounts of two currencies have no common scale."""
    sums = tuple(sums)
    currencies = sorted({currency for each in sums for currency in each.money})
    return [
        bars(
            f"{title}, {currency}",
            [
                Bar(each.name, float(each.money[currency]), f"{each.money[currency]:,.2f}")
                for each in sums
                if each.money.get(currency)
            ][:_MOST_BARS],
        )
        for currency in currencies
    ]


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for _, title in _COLUMNS)
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{name}">{escape(_text(row[name]))}</td>' for name, _ in _COLUMNS)
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {each}" for name, each in value.items())
    return str(value)
