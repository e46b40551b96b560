"""What partners send in one run: orders, changes, repeats, conflicts, and what cannot be read."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import orjson

from canonical.errors import Rejected
from hub.settings.model import Site
from hub.workers.jobs import Failed, Normalized

_PARTNER = "acme"
_NOT_WHOLE = 0.15
"""Share of originals that a control point holds."""
ERP, DOCK = "erp", "dock"
"""The targets: every order goes to the ERP, and after that to the dock."""


@cache
def site() -> Site:
    """The configuration of the simulated hub."""
    connections = {
        name: {"system": "x12", "partner": partner, "transport": {"kind": "webhook"}}
        for name, partner in (("edi", _PARTNER), ("shop", "shop"), (ERP, "own"), (DOCK, "own"))
    }
    return Site.model_validate(
        {
            "control_points": {"reference": ERP, "enabled": ["complete"]},
            "partners": {name: {"name": name} for name in (_PARTNER, "shop", "own")},
            "connections": connections,
            "routes": [
                {"entity": "order", "to": ERP, "action": "create_order", "flow": "o"},
                {
                    "entity": "order",
                    "to": DOCK,
                    "action": "create_order",
                    "flow": "o",
                    "after": ERP,
                },
                {"entity": "order_change", "to": ERP, "action": "change_order", "flow": "c"},
            ],
        }
    )


@dataclass(frozen=True)
class Letter:
    """One document that a partner sends: what it is, whoever reads it."""

    name: str
    key: str
    sequence: int
    made: Normalized | None
    """What a worker reads out of it."""
    broken: bool = False
    """It cannot be read until a mapping is mended."""


@dataclass(frozen=True)
class Sending:
    """One receipt that a partner sends, when, and how obstinately."""

    at: float
    body: bytes
    letters: tuple[Letter, ...]
    connection: str = "edi"
    again: bool = False
    """It was sent before: the same bytes."""


@dataclass
class Workload:
    """All that is sent in one run; each partner sends its own in order."""

    senders: list[list[Sending]] = field(default_factory=list)
    letters: dict[bytes, tuple[Letter, ...]] = field(default_factory=dict)
    """By the body that holds them."""

    def letter(self, name: str) -> Letter:
        """Return a letter by its name."""
        return next(each for each in self.every() if each.name == name)

    def every(self) -> Iterator[Letter]:
        """Yield each letter once."""
        for letters in self.letters.values():
            yield from letters


def make(rng: random.Random, seconds: float) -> Workload:
    """Return what is sent within so many seconds."""
    load = Workload()
    for number in range(1, rng.randint(2, 4)):
        _purchase(load, rng, f"PO-{number}", seconds)
    return load


def _purchase(load: Workload, rng: random.Random, number: str, seconds: float) -> None:
    """Add one purchase: an original and what follows it, in some order, by one or two senders."""
    letters = [_order(number, "a", whole=rng.random() > _NOT_WHOLE)]
    letters += _changes(number, rng)
    if rng.random() < 0.2:
        letters.append(_order(number, "b", 9))
    if rng.random() < 0.25:
        rng.shuffle(letters)
    if rng.random() < 0.2:
        letters.insert(rng.randrange(len(letters) + 1), _broken(number))
    groups = _cut(letters, rng)
    sendings = []
    at = rng.uniform(0, seconds / 4)
    for group in groups:
        body = "+".join(letter.name for letter in group).encode()
        load.letters[body] = tuple(group)
        sendings.append(Sending(at, body, tuple(group)))
        if rng.random() < 0.25:
            sendings.append(Sending(at + rng.uniform(0, 30), body, tuple(group), again=True))
        at += rng.choice((0.0, rng.uniform(0, 2), rng.uniform(0, seconds / 3)))
    sendings.sort(key=lambda each: each.at)
    if rng.random() < 0.3:  # two channels of one partner: nothing keeps their order
        load.senders += [sendings[::2], sendings[1::2]]
    else:
        load.senders.append(sendings)
    if rng.random() < 0.15:
        twin = _order(number, "t", partner="shop")
        load.letters[twin.name.encode()] = (twin,)
        when = rng.uniform(0, seconds)
        load.senders.append([Sending(when, twin.name.encode(), (twin,), "shop")])


def _changes(number: str, rng: random.Random) -> list[Letter]:
    """Return changes as buyers number them: each higher, none at all, or now and then one twice."""
    numbers = list(range(1, rng.choice((1, 2, 3, 4))))
    manner = rng.random()
    if manner < 0.3:
        numbers = [0 for _ in numbers]
    elif manner < 0.45:
        numbers = [max(1, each - 1) for each in numbers]
    return [
        _change(number, sequence, 2 + n, n, whole=rng.random() > _NOT_WHOLE)
        for n, sequence in enumerate(numbers, 1)
    ]


def _key(number: str, partner: str = _PARTNER) -> str:
    return f"order/{partner}/{number}/"


def _cut(letters: list[Letter], rng: random.Random) -> list[list[Letter]]:
    """Cut letters into receipts of one or two."""
    groups: list[list[Letter]] = []
    for letter in letters:
        if groups and len(groups[-1]) == 1 and rng.random() < 0.2:
            groups[-1].append(letter)
        else:
            groups.append([letter])
    return groups


def _order(
    number: str, mark: str, quantity: int = 2, *, whole: bool = True, partner: str = _PARTNER
) -> Letter:
    """Return an original; one that is not whole is held by a control point."""
    key = _key(number, partner)
    address = {"address": {"lines": ["1 Dock Rd"], "city": "Reno", "postal_code": "89501"}}
    canonical = {
        "po_number": number,
        "buyer": {"customer_number": "C1"},
        "currency": "USD",
        "ordered_on": "2026-05-04",
        "lines": [_line(quantity)],
    } | ({"ship_to": address} if whole else {})
    name = f"{partner}.{number}.{mark}"
    facts = {"purpose": "original", "po_key": f"C1|{number}", "number": number}
    return Letter(name, key, 0, _made("order", name, key, canonical, facts))


def _change(number: str, sequence: int, quantity: int, nth: int, *, whole: bool) -> Letter:
    """Return a change; one that is not whole asks for nothing, and is held by a control point."""
    key = _key(number)
    quantity = quantity if whole else 0
    canonical = {
        "po_number": number,
        **({"change_sequence": sequence} if sequence else {}),
        "kind": "change",
        "buyer": {"customer_number": "C1"},
        "requested_on": "2026-05-05",
        "lines": [_line(quantity) | {"action": "change"}],
    }
    name = f"{_PARTNER}.{number}.c{nth}"
    facts = {"purpose": "change", "sequence": sequence, "number": number}
    return Letter(name, key, sequence, _made("order_change", name, key, canonical, facts))


def _broken(number: str) -> Letter:
    return replace(_order(f"{number}-x", "x"), broken=True)


def _line(quantity: int) -> dict[str, Any]:
    return {
        "number": "1",
        "item": {"seller_sku": "A"},
        "quantity": {"value": str(quantity), "unit": "EA"},
    }


def _made(
    entity: str, name: str, key: str, canonical: dict[str, Any], facts: dict[str, Any]
) -> Normalized:
    # A twin says the same as its original: the content is that of the purchase, not of the letter.
    given: dict[str, Any] = {
        "position": 0,
        "place": "",
        "flow": "f",
        "control": {},
        "entity": entity,
        "canonical_json": orjson.dumps(canonical),
        "business_key": key,
        "content_id": f"content of {name}",
        "purpose": "original",
        "sequence": 0,
        "number": None,
        "reference_number": None,
        "buyer_account": "C1",
        "buyer_po": None,
        "amount": None,
        "currency": None,
        "mapping_version": "1",
        "po_key": None,
    }
    return Normalized(**(given | facts))


def read(letter: Letter, position: int, *, mended: bool) -> Normalized | Failed:
    """Return what a worker makes of a letter at a position of its receipt."""
    if letter.made is None or (letter.broken and not mended):
        error = Rejected("unit_unknown", "PO1[1].PO103", "no such unit")
        return Failed(position, "", "f", "order", "map", error, mapping_version="1")
    return letter.made._replace(position=position)
