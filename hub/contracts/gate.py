"""The gate: what a change of model, mapping, guide or API does to each partner's contract.

Additive changes pass. A breaking one is named, with what is wrong and the way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from hub.contracts.outcome import Checked, Outcome
from hub.contracts.results import Results, contracts_of
from hub.fields import counts
from hub.mapping.difference import differences

Effect = Literal["breaking", "excused", "additive", "mended"]
"""`excused` would break a contract that is pending or deprecated: told, and no release waits for it."""

_WAYS_OUT = {
    "field_removed": "keep the field for one more version and announce when it goes",
    "field_changed": "add a new field beside it; a field keeps its meaning within a version",
    "example_broken": "keep what the example shows, or agree on a new version of the contract",
    "example_gone": "examples are taken out with the partner's word, in a new version",
    "contract_gone": "deprecate it first: `deprecated_on` says from when it does not count",
}


class Change(NamedTuple):
    """One change that reaches a contract."""

    effect: Effect
    contract: str
    owner: str
    code: str
    where: str
    detail: str
    way_out: str = ""


def compare(old: Results, new: Results, today: str) -> list[Change]:
    """What is different for each contract between two runs, the breaking first.

    Args:
        old: results before the change.
        new: results after it.
        today: ISO date: contracts deprecated by then do not break.

    Raises:
        ConfigError: ``results_unreadable``.

    """
    after = {each.contract: each for each in contracts_of(new)}
    found: list[Change] = []
    for before in contracts_of(old):
        found.extend(_changes(before, after.get(before.contract)))
        found.extend(_field_changes(before, old.get("fields", {}), new.get("fields", {})))
    told = [
        each._replace(effect="excused") if _excused(each, after, today) else each for each in found
    ]
    order = {"breaking": 0, "excused": 1, "additive": 2, "mended": 3}
    return sorted(told, key=lambda each: (order[each.effect], each.contract, each.where))


def _excused(change: Change, contracts: Mapping[str, Checked], today: str) -> bool:
    contract = contracts.get(change.contract)
    if change.effect != "breaking" or contract is None:
        return False
    ended = contract.deprecated_on is not None and contract.deprecated_on <= today
    return ended or contract.pending


def _changes(before: Checked, after: Checked | None) -> Iterator[Change]:
    if after is None:
        yield _breaking(
            before, "contract_gone", before.contract, "the contract is not there any more"
        )
        return
    now = {each.name: each for each in after.outcomes}
    for old in before.outcomes:
        new = now.get(old.name)
        if new is None:
            if before.version == after.version:
                detail = "the example is not there any more"
                yield _breaking(before, "example_gone", old.name, detail)
        elif new.problems and not old.problems:
            yield _breaking(before, "example_broken", old.name, "; ".join(new.problems))
        elif old.problems and not new.problems:
            yield Change(
                "mended", before.contract, before.owner, "example_mended", old.name, "holds"
            )
        else:
            yield from _drift(after, old, new)


def _drift(contract: Checked, old: Outcome, new: Outcome) -> Iterator[Change]:
    """What an example that still holds makes now and did not make before."""
    lines = differences(list(old.produced), list(new.produced))
    if lines:
        detail = "; ".join(lines)
        yield Change(
            "additive", contract.contract, contract.owner, "result_changed", old.name, detail
        )


def _field_changes(
    contract: Checked, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    """Fields of the canonical model that the contract relies on and that are not as they were."""
    for entity, relied in contract.relies_on.items():
        before, after = old.get(entity, {}), new.get(entity, {})
        for field in sorted(field for field in before if counts(field, relied)):
            place = f"{entity}.{field}"
            if field not in after:
                yield _breaking(contract, "field_removed", place, "the field is not there any more")
            elif _narrower(before[field], after[field]):
                detail = f"was {before[field]}, is {after[field]}"
                yield _breaking(contract, "field_changed", place, detail)


def _narrower(old: str, new: str) -> bool:
    """Whether something that was allowed is not any more: a word less, or `required` more."""
    if old == new:
        return False
    must = "required "
    if new.startswith(must) and not old.startswith(must):
        return True
    return not _words(old) <= _words(new)


def _words(text: str) -> set[str]:
    plain = text.removeprefix("required ").removeprefix("one of ")
    return {word.strip() for part in plain.split(" or ") for word in part.split(",")}


def _breaking(contract: Checked, code: str, where: str, detail: str) -> Change:
    return Change(
        "breaking", contract.contract, contract.owner, code, where, detail, _WAYS_OUT[code]
    )


class Cell(NamedTuple):
    """One contract at one release."""

    contract: str
    partner: str
    owner: str
    release: str
    version: str
    state: str


def matrix(runs: list[Results], today: str) -> tuple[list[Cell], dict[str, bool]]:
    """Which contract holds at which release, and which release may be deployed.

    Returns:
        The cells, and release -> whether no contract that counts is red at it.

    """
    cells: list[Cell] = []
    deployable: dict[str, bool] = {}
    for run in runs:
        release = str(run.get("release", "?"))
        deployable.setdefault(release, True)
        for each in contracts_of(run):
            ended = each.deprecated_on is not None and each.deprecated_on <= today
            state = "deprecated" if ended else each.state
            deployable[release] = deployable[release] and state != "red"
            cells.append(
                Cell(each.contract, each.partner, each.owner, release, each.version, state)
            )
    return sorted(cells), deployable
