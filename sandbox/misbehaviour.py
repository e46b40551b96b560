"""Scripted misbehaviour: which request goes wrong, how, and how often. Pure state.

Rules are consumed in the order in which they were given; the first that matches plays. What is
left of a script survives a restart, because setting and playing a rule are journal entries.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from sandbox.journal import Entry

Kind = Literal[
    "status", "accept_then_reset", "reset_before", "slow", "hang", "drip", "html_login",
    "ok_with_error_body", "apply_twice", "lose_invoice",
]  # fmt: skip
"""How a request goes wrong.

- ``status``: answers `status` (with `retry_after`), nothing takes effect;
- ``accept_then_reset``: takes effect, then the TCP connection is reset without an answer;
- ``reset_before``: the connection is reset, nothing takes effect;
- ``slow``: the answer comes after `delay_seconds`;
- ``hang``: no byte of an answer ever comes; takes effect only with `applies`;
- ``drip``: the answer comes one byte every `delay_seconds`;
- ``html_login``: 200 with a login page, nothing takes effect;
- ``ok_with_error_body``: 200 with an error in the body, nothing takes effect;
- ``apply_twice``: the request takes effect twice, the answer is that of the first time;
- ``lose_invoice``: shipAndInvoice ships, answers 204, and posts no invoice.
"""
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Rule:
    """One piece of the script."""

    id: str
    system: str
    kind: str
    method: str = ""
    path_contains: str = ""
    reference: str = ""
    status: int = 503
    retry_after: float | None = None
    delay_seconds: float = 1.0
    applies: bool = False
    times: int = 1

    def matches(self, seen: Seen) -> bool:
        """Whether this rule is meant for the request."""
        return (
            self.system == seen.system
            and self.method in {"", seen.method}
            and self.path_contains in seen.path
            and (self.kind != "lose_invoice" or "shipandinvoice" in seen.path.lower())
            and (not self.reference or seen.names(self.reference))
        )


@dataclass(frozen=True)
class Seen:
    """A request, as a rule sees it."""

    system: str
    method: str
    path: str
    """Decoded path with its query."""
    body: bytes
    references: Collection[str] = ()
    """Our references of the documents that the path names by id."""

    def names(self, reference: str) -> bool:
        """Whether the request is about our `reference`."""
        return (
            reference in self.references
            or reference in self.path
            or reference.encode() in self.body
        )


class Script:
    """What is still to go wrong."""

    system = "misbehaviour"

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def find(self, seen: Seen) -> Rule | None:
        """The rule that plays for a request; it stays until its playing is recorded."""
        return next((rule for rule in self.rules if rule.matches(seen)), None)

    def apply(self, entry: Entry) -> None:
        """Add, use up or clear rules."""
        if entry["effect"] == "misbehaviour_set":
            self.rules.append(rule_from(entry["rule"]))
        elif entry["effect"] == "misbehaviour_played":
            self.rules = [
                replace(rule, times=rule.times - 1) if rule.id == entry["rule_id"] else rule
                for rule in self.rules
            ]
            self.rules = [rule for rule in self.rules if rule.times > 0]
        elif entry["effect"] == "misbehaviour_cleared":
            self.rules = []


def rule_from(row: dict[str, Any]) -> Rule:
    """Read a rule as the journal keeps it."""
    texts = {name: row.get(name, "") for name in ("method", "path_contains", "reference")}
    retry_after = row.get("retry_after")
    return Rule(
        id=row["id"],
        system=row["system"],
        kind=row["kind"],
        **texts,
        status=int(row.get("status", 503)),
        retry_after=None if retry_after is None else float(retry_after),
        delay_seconds=float(row.get("delay_seconds", 1)),
        applies=bool(row.get("applies", False)),
        times=int(row.get("times", 1)),
    )
