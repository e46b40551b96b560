"""The judge: reads journals, knows nothing of the hub. Standard library alone, no import of ours.

`check(folder)` reads what a run left behind:

==================  ====================================================================
``partners.jsonl``  what partners sent, and which of it was acknowledged to them
``dock.jsonl``      every file that the dock took away
``effects.jsonl``   the emulated ERP's own journal (``sandbox/effects.jsonl``)
``ledger.jsonl``    the hub's ledger, exported row by row
``events.jsonl``    every order on CANONICAL
``commands.json``   what ``crossdock ledger audit`` and ``dlq list`` said
``hub-*.log``       what the hubs wrote
==================  ====================================================================

Invariants: I1 everything acknowledged is in exactly one place; I2 at most one effect for each
version and target, and one for each that was delivered; I3 versions of an order take effect in their order; I4 the ledger says of the
targets what they say themselves; I5 the audit chain verifies; I6 no secret and no person in any
log or listing; I7 it all came to rest by itself.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Version = tuple[str, int]
"""Purchase order number, and which version of it, from 1."""

FIRST_QUANTITY = 10
"""The quantity of an original; each version has one more."""
SETTLED = {"delivered", "held", "dead", "duplicate", "rejected"}
REPEATS = {"duplicate", "stale"}
QUARANTINED = "process_died"
"""The only death of a good document: processes died with it in hand, again and again."""
MOST_SHOWN = 20


@dataclass
class Verdict:
    """What was found; `problems` is empty where every invariant held."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def blame(self, kind: str, what: str) -> None:
        """Count one breach; the first ones are kept by name."""
        self.counts[kind] += 1
        if len(self.problems[kind]) < MOST_SHOWN:
            self.problems[kind].append(what)

    @property
    def holds(self) -> bool:
        """Whether nothing was breached."""
        return not any(self.problems.values())

    def row(self) -> Row:
        """As a run's result keeps it."""
        return {"holds": self.holds, "counts": dict(self.counts), "problems": dict(self.problems)}


@dataclass
class Evidence:
    """Everything that a run left behind."""

    sent: dict[str, list[Version]]
    accepted: set[str]
    docked: list[Row]
    effects: list[Row]
    ledger: dict[str, list[Row]]
    events: list[Row]
    commands: dict[str, Row]
    texts: dict[str, str]


def documents(counts: Mapping[str, int]) -> int:
    """How many documents were acknowledged, each version once however often it was sent."""
    return counts.get("versions", 0) + counts.get("overtaken_by_a_newer_version", 0)


def check(folder: Path, secrets: Sequence[str] = (), persons: Sequence[str] = ()) -> Verdict:
    """Judge one run."""
    return judge(gather(folder), secrets, persons)


def gather(folder: Path) -> Evidence:
    """Read the journals of a run."""
    sent: dict[str, list[Version]] = {}
    accepted: set[str] = set()
    for row in lines(folder / "partners.jsonl"):
        if row["said"] == "accepted":
            accepted.add(row["transfer"])
        else:
            sent[row["transfer"]] = [(number, version) for number, version in row["docs"]]
    ledger: dict[str, list[Row]] = defaultdict(list)
    for row in lines(folder / "ledger.jsonl"):
        ledger[row["table"]].append(row)
    commands = json.loads((folder / "commands.json").read_text())
    texts = {path.name: path.read_text("utf-8", "replace") for path in folder.glob("hub-*.log")}
    texts |= {f"crossdock {name}": row["out"] + row["errors"] for name, row in commands.items()}
    texts["dead letters"] = json.dumps(ledger["dead_letter"])
    effects = list(lines(folder / "sandbox" / "effects.jsonl"))
    docked = list(lines(folder / "dock.jsonl"))
    events = list(lines(folder / "events.jsonl"))
    return Evidence(sent, accepted, docked, effects, ledger, events, commands, texts)


def lines(path: Path) -> Iterator[Row]:
    """Yield the whole lines of a journal."""
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            yield json.loads(line)


def judge(seen: Evidence, secrets: Sequence[str], persons: Sequence[str]) -> Verdict:
    """Hold the evidence to the invariants."""
    verdict = Verdict()
    placed = _everything_in_one_place(seen, verdict)
    _nothing_unexplained(seen, verdict)
    erp = _erp(seen)
    _order_of_effects(erp, verdict)
    _effects_once(seen, erp, verdict)
    _ledger_is_target(seen, erp, placed, verdict)
    _events_once(seen, placed, verdict)
    _audit(seen, verdict)
    _nothing_told(seen, secrets, persons, verdict)
    return verdict


def _transfers(seen: Evidence) -> dict[str, list[Row]]:
    """Transfer -> receipts of it in the ledger."""
    found: dict[str, list[Row]] = defaultdict(list)
    for receipt in seen.ledger["receipt"]:
        name = receipt["file"] or receipt["delivery_id"]
        if name in seen.sent:
            found[name].append(receipt)
    return found


def _everything_in_one_place(seen: Evidence, verdict: Verdict) -> dict[Version, Row]:
    """I1; gives the one row of each version that is no repeat of another."""
    places, repeats = _sort_out(seen, verdict)
    acknowledged = {v for name in seen.accepted for v in seen.sent.get(name, ())}
    newest = {version[0]: 0 for version in acknowledged}
    for number, count in (known for known in acknowledged if places[known]):
        newest[number] = max(newest[number], count)
    for version in sorted(acknowledged):
        overtaken = "stale" in repeats[version] and newest[version[0]] > version[1]
        if overtaken and not places[version]:
            verdict.counts["overtaken_by_a_newer_version"] += 1
        else:
            _one_place(version, places[version], len(repeats[version]), verdict)
    return {version: rows[0] for version, rows in places.items() if rows}


def _sort_out(
    seen: Evidence, verdict: Verdict
) -> tuple[dict[Version, list[Row]], dict[Version, list[str]]]:
    """Of each version that was sent: its own rows, and the verdicts of those that repeat another."""
    receipts = _transfers(seen)
    rows: dict[str, list[Row]] = defaultdict(list)
    for document in seen.ledger["document"]:
        rows[document["receipt_id"]].append(document)
    places: dict[Version, list[Row]] = defaultdict(list)
    repeats: dict[Version, list[str]] = defaultdict(list)
    for transfer, versions in seen.sent.items():
        own = [row for receipt in receipts[transfer] for row in rows[receipt["id"]]]
        verdict.counts["documents_sent"] += len(versions)
        if transfer in seen.accepted:
            verdict.counts["documents_acknowledged"] += len(versions)
        for version in versions:
            _place(version, own, places, repeats)
    return places, repeats


def _place(
    version: Version,
    own: list[Row],
    places: dict[Version, list[Row]],
    repeats: dict[Version, list[str]],
) -> None:
    for row in own:
        if row["number"] == version[0]:
            if row["verdict"] in REPEATS:
                repeats[version].append(row["verdict"])
            else:
                places[version].append(row)
        elif row["number"] is None and row["state"] == "dead":  # its receipt was set aside whole
            places[version].append(row)


def _one_place(version: Version, rows: list[Row], repeats: int, verdict: Verdict) -> None:
    name = f"{version[0]} v{version[1]}"
    if not rows and not repeats:
        verdict.blame("lost", f"{name} was acknowledged, and the ledger does not know it")
    elif not rows:
        verdict.blame("lost", f"{name} is only a repeat of nothing")
    elif len(rows) > 1:
        verdict.blame("doubled", f"{name} is in the ledger {len(rows)} times")
    for row in rows[:1]:
        verdict.counts[f"ended_{row['state']}"] += 1
        if row["state"] not in SETTLED:
            verdict.blame("unexplained", f"{name} is {row['state']} in the end")
        if row["state"] == "dead" and row.get("code") != QUARANTINED:
            verdict.blame(
                "given_up", f"{name} is dead of {row.get('code')}: nothing was wrong with it"
            )
    verdict.counts["versions"] += 1
    verdict.counts["repeats_recognised"] += repeats


def _nothing_unexplained(seen: Evidence, verdict: Verdict) -> None:
    """Whatever the ledger or a target has was sent by somebody, as often as it is there."""
    known = {number for versions in seen.sent.values() for number, _ in versions}
    for document in seen.ledger["document"]:
        if document["number"] is not None and document["number"] not in known:
            verdict.blame("unexplained", f"document {document['number']} was never sent")
    for file in seen.docked:
        for _, number, _ in file["orders"]:
            if number not in known:
                verdict.blame("unexplained", f"the dock got {number}, which was never sent")
    for transfer in seen.sent.keys() - seen.accepted:
        verdict.counts["transfers_without_answer"] += 1
        verdict.blame("never_acknowledged", transfer)


def _erp(seen: Evidence) -> dict[str, list[tuple[str, int]]]:
    """Our reference -> (effect, version) in the order in which the ERP recorded them."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for entry in seen.effects:
        if entry["effect"] in ("sales_order_created", "sales_order_changed"):
            quantities = [line["quantity"] for line in entry["lines"] if "quantity" in line]
            version = int(float(quantities[0])) - FIRST_QUANTITY + 1 if quantities else 0
            found[entry["reference"]].append((entry["effect"], version))
    return found


def _order_of_effects(erp: dict[str, list[tuple[str, int]]], verdict: Verdict) -> None:
    """I3: what an order says at the ERP only ever becomes newer."""
    for reference, effects in erp.items():
        versions = [version for _, version in effects if version]
        if versions != sorted(versions):
            verdict.blame("reordered", f"{reference} went through versions {versions}")


def _effects_once(seen: Evidence, erp: dict[str, list[tuple[str, int]]], verdict: Verdict) -> None:
    """I2."""
    for reference, effects in erp.items():
        created = sum(effect == "sales_order_created" for effect, _ in effects)
        verdict.counts["effects_erp"] += len(effects)
        if created > 1:
            verdict.blame("doubled", f"the ERP has {created} orders under {reference}")
        for version, times in Counter(version for _, version in effects).items():
            if times > 1:
                what = f"the ERP was told version {version} of {reference} {times} times"
                verdict.blame("doubled", what)
    for number, times in _docked(seen).items():
        verdict.counts["effects_dock"] += times
        if times > 1:
            verdict.blame("doubled", f"the dock got {number} {times} times")


def _docked(seen: Evidence) -> Counter[str]:
    return Counter(number for file in seen.docked for _, number, _ in file["orders"])


def _ledger_is_target(
    seen: Evidence,
    erp: dict[str, list[tuple[str, int]]],
    placed: dict[Version, Row],
    verdict: Verdict,
) -> None:
    """I4: what the ledger calls delivered is at the target, and nothing else is."""
    docked = _docked(seen)
    versions_of = {row["id"]: version for (_, version), row in placed.items()}
    told: dict[str, set[int]] = {}
    """Our reference -> the versions that the ledger says the ERP was told."""
    for delivery in seen.ledger["delivery"]:
        verdict.counts[f"deliveries_{delivery['state']}"] += 1
        done, number = delivery["state"] == "delivered", delivery["number"]
        if delivery["target"] == "dock" and done != (docked[number] > 0):
            verdict.blame("ledger_differs", f"dock: {number} is {delivery['state']}")
        if delivery["target"] == "bc":
            versions = told.setdefault(delivery["reference"], set())
            if done:
                versions.add(versions_of.get(delivery["document_id"], 0))
    for reference in sorted(told.keys() | erp.keys()):
        there = {version for _, version in erp.get(reference, ())}
        if reference not in told:
            verdict.blame("unexplained", f"the ERP has {reference}, which nothing delivered")
        elif there != told[reference]:
            said = f"{sorted(there)}, the ledger says {sorted(told[reference])}"
            verdict.blame("ledger_differs", f"ERP: {reference} had the versions {said}")


def _events_once(seen: Evidence, placed: dict[Version, Row], verdict: Verdict) -> None:
    """Every order that was accepted is published, once."""
    ids = Counter(event["id"] for event in seen.events)
    for event_id, times in ids.items():
        if times > 1:
            verdict.blame("doubled", f"event {event_id} is on CANONICAL {times} times")
    published = Counter(event["number"] for event in seen.events)
    for (number, version), row in placed.items():
        if version == 1 and row["state"] == "delivered" and published[number] != 1:
            kind = "doubled" if published[number] else "lost"
            verdict.blame(kind, f"{number} was published {published[number]} times")
    verdict.counts["events"] += len(seen.events)


def _audit(seen: Evidence, verdict: Verdict) -> None:
    """I5."""
    if seen.commands["audit"]["status"] != 0:
        verdict.blame("audit", "crossdock ledger audit did not end with 0")


def _nothing_told(
    seen: Evidence, secrets: Iterable[str], persons: Iterable[str], verdict: Verdict
) -> None:
    """I6."""
    for name, text in seen.texts.items():
        for kind, words in (("secret", secrets), ("person", persons)):
            for position, word in enumerate(words, start=1):
                if word in text:
                    verdict.blame("told", f"{name} holds {kind} {position}")
