"""Writes docs/fault-report.md: the matrices from their rows, the figures from a campaign's results.

Between two marks stands what is written by a person: what was found, and what was not run.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.faults import fault_matrix, input_matrix
from tests.faults.rows import Row
from tests.support.hub_process import ROOT

PAGE = ROOT / "docs" / "fault-report.md"
BREACHES = ("lost", "doubled", "reordered", "unexplained", "given_up", "unjudged")
"""What a headline must say, also where it is nothing."""
FIGURES, ROWS_BEGIN, END = "<!-- figures -->", "<!-- matrices -->", "<!-- end -->"


def write(folder: Path | None) -> None:
    """Write the page anew, with the figures of all runs below a folder; without it, with the old ones."""
    page = PAGE.read_text("utf-8")
    page = _between(page, ROWS_BEGIN, matrices())
    if folder is not None:
        found = figures(gather(folder, "result.json"))
        page = _between(page, FIGURES, f"{found}\n{outages(gather(folder, 'outage.json'))}")
    PAGE.write_text(page, "utf-8")


def gather(folder: Path, name: str) -> list[dict[str, Any]]:
    """Read what all runs below a folder came to."""
    return [json.loads(path.read_text()) for path in sorted(folder.rglob(name))]


def _between(page: str, mark: str, text: str) -> str:
    before, _, rest = page.partition(mark)
    _, _, after = rest.partition(END)
    return f"{before}{mark}\n\n{text}\n{END}{after}"


def matrices() -> str:
    """Both matrices as tables."""
    return "\n".join(
        [
            "### Faults",
            "",
            *_table(fault_matrix.ROWS),
            "",
            "### Bad input",
            "",
            *_table(input_matrix.ROWS),
            "",
        ]
    )


def _table(rows: Sequence[Row]) -> Iterable[str]:
    states = Counter(row.state for row in rows)
    said = ", ".join(f"{states[state]} {state}" for state in ("run", "in part", "not run"))
    yield f"{len(rows)} rows: {said}. In a campaign: {sum(row.campaign for row in rows)}."
    yield ""
    yield "| # | what goes wrong | | tests | not run |"
    yield "|---|---|---|---|---|"
    for row in rows:
        tests = "<br>".join(f"`{node.removeprefix('tests/')}`" for node in row.tests)
        state = f"{row.state}, campaign" if row.campaign else row.state
        yield f"| {row.number} | {row.what} | {state} | {tests} | {row.not_run} |"


def figures(results: Sequence[dict[str, Any]]) -> str:
    """What runs came to, summed and one by one."""
    total: Counter[str] = Counter()
    kills: Counter[str] = Counter()
    strikes: Counter[str] = Counter()
    for result in results:
        if not cut_off(result):
            total.update(result["verdict"]["counts"])
        kills.update(result["kills"])
        strikes.update(result["strikes"])
    lost = {name: total[name] for name in BREACHES}
    minutes = sum(result["seconds"] for result in results) / 60
    return "\n".join(
        [
            f"{len(results)} runs, {minutes:.0f} minutes, commits "
            f"{', '.join(sorted({result['commit'] for result in results}))}.",
            "",
            f"**{total['documents_acknowledged']:,} documents acknowledged, "
            f"{sum(kills.values()):,} kills: "
            + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in lost.items())
            + ".**",
            "",
            *_cut_off(results),
            *_runs(results),
            "",
            *_counted("killed", kills),
            "",
            *_counted("strike and what came of it", strikes),
            "",
            *_counted("the checker's counts", total),
            "",
        ]
    )


def cut_off(result: dict[str, Any]) -> bool:
    """Whether a run ended with work still in hand: what it would have come to, nobody knows."""
    left = result["verdict"]["problems"].get("not_at_rest", [])
    return any(each.split(" ")[0].isdigit() for each in left)


def _cut_off(results: Sequence[dict[str, Any]]) -> Iterable[str]:
    for result in filter(cut_off, results):
        left = ", ".join(result["verdict"]["problems"]["not_at_rest"])
        yield f"Seed {result['seed']} was cut off with work in hand ({left}): its kills are counted here, its documents are not."
        yield ""


def account(result: dict[str, Any]) -> str:
    """What one run came to, in a few lines; every breach is named."""
    verdict, found = result["verdict"], result.get("recovery", {})
    counts = verdict["counts"]
    said = ", ".join(f"{counts.get(name, 0)} {name.replace('_', ' ')}" for name in BREACHES)
    lines = [
        f"seed {result['seed']}: {'holds' if verdict['holds'] else 'BREACHED'}",
        f"  {counts.get('documents_acknowledged', 0):,} documents acknowledged, "
        f"{result.get('kills_total', 1)} kills, {result['seconds']:.0f} s",
        f"  {said}",
    ]
    if found:
        lines.append(
            f"  yes again after a strike: p50 {found['p50_seconds']} s, p95 "
            f"{found['p95_seconds']} s, most {found['most_seconds']} s"
        )
    for kind, cases in verdict["problems"].items():
        lines += [f"  {kind}: {case}" for case in cases]
    return "\n".join(lines)


def outages(results: Sequence[dict[str, Any]]) -> str:
    """What long outages came to, as a table; nothing where there were none."""
    rows = [
        "| away | for | CPU of a hub meanwhile | calls answered meanwhile | yes again after "
        "| effects again after | documents | invariants |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        found, verdict = result["outage"], result["verdict"]
        answers = ", ".join(f"{status}: {count:,}" for status, count in found["answers"].items())
        rows.append(
            f"| {result['server']} | {found['down_seconds']:.0f} s "
            f"| {found['cpu_share_while_down']:.1%} of a core | {answers} "
            f"| {found['yes_again_after_seconds']} s | {found['effects_again_after_seconds']} s "
            f"| {verdict['counts']['documents_acknowledged']:,} "
            f"| {'hold' if verdict['holds'] else 'BREACHED'} |"
        )
    return "\n".join([*rows, ""]) if results else ""


def _runs(results: Sequence[dict[str, Any]]) -> Iterable[str]:
    yield "| seed | documents | kills | seconds | yes again after a strike, p50 / p95 / most | longest silence | invariants |"
    yield "|---|---|---|---|---|---|---|"
    for result in results:
        found, counts = result["recovery"], result["verdict"]["counts"]
        waits = " / ".join(str(found.get(f"{name}_seconds", "")) for name in ("p50", "p95", "most"))
        yield (
            f"| {result['seed']} | {counts.get('documents_acknowledged', 0):,} "
            f"| {result['kills_total']} "
            f"| {result['seconds']:.0f} | {waits} s | {found.get('longest_silence_seconds', '')} s "
            f"| {_word(result)} |"
        )


def _word(result: dict[str, Any]) -> str:
    if cut_off(result):
        return "CUT OFF"
    return "hold" if result["verdict"]["holds"] else "BREACHED"


def _counted(what: str, counts: Counter[str]) -> Iterable[str]:
    yield f"| {what} | times |"
    yield "|---|---|"
    for name, count in sorted(counts.items()):
        yield f"| {name} | {count:,} |"
