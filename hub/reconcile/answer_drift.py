"""answer-drift: a supplier answers something else than was ordered. A pure function of values.

Compared is the newest answer (X12 855, ORDRSP) to what was last sent, line by line. A refusal of the
whole order is a matter of ordered-not-acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from hub.reconcile.discrepancy import Discrepancy, money, plain
from hub.reconcile.line_ledger import Line
from hub.reconcile.orders import OrderThread, Paper, Promise, Said
from hub.reconcile.policy import Policy

NAME = "answer-drift"
OWNER = "purchasing"
REFUSED = "the supplier refuses a line"
LESS = "the supplier will send less than was ordered"
MORE = "the supplier will send more than was ordered"
OTHER = "the supplier will send another item"
PRICE = "the supplier will bill another price than ordered"
LATE = "the supplier promises a later day than was wanted"
_REMEDIES = {
    REFUSED: "change the order, or buy the line elsewhere",
    LESS: "change the order to what is promised, or buy the rest elsewhere",
    OTHER: "agree on the substitute, or change the order",
    PRICE: "agree on the price, or change the order, before it is billed",
    MORE: "change the order, or refuse what is too much",
    LATE: "agree on the day, and tell who waits for it",
}
_WORST_FIRST = tuple(_REMEDIES)
_DAY = timedelta(days=1)
_ZERO = Decimal()


@dataclass(frozen=True, slots=True)
class _Drift:
    cause: str
    item: str
    amount: Decimal | None
    told: str


def find(
    thread: OrderThread,
    lines: Sequence[Line],
    policy: Policy,
    now: datetime,  # noqa: ARG001  # every job takes the same arguments
) -> Discrepancy | None:
    """Return what the answer says otherwise, by its worst cause; the details have all of it.

    What has come meanwhile, and what has been billed, is no matter of the answer any more. A part that
    is backordered is promised: only its day counts.
    """
    answer = _answer(thread)
    if answer is None or answer.answer == "rejected":
        return None
    said = {each.number: each for each in answer.lines}
    drifts = [
        drift
        for line in lines
        if line.expected and line.comparable and line.wanted and line.number in said
        for drift in _line(line, said[line.number], _Wanted(thread, answer, line.number), policy)
    ]
    if not drifts:
        return None
    worst = min((each.cause for each in drifts), key=_WORST_FIRST.index)
    return Discrepancy(
        subject=thread.subject,
        since=answer.at,
        cause=worst,
        remedy=_REMEDIES[worst],
        amount=money([each.amount for each in drifts]),
        currency=thread.currency,
        details={f"{each.item or '?'}: {each.cause}": each.told for each in drifts},
        partner=thread.partner,
        reference=thread.reference,
    )


def _answer(thread: OrderThread) -> Paper | None:
    """The newest answer, unless what it answers has been changed since."""
    if not thread.responses or not thread.versions:
        return None
    answer = thread.responses[-1]
    sent = [
        paper
        for paper in thread.versions
        if any(each.target == answer.connection for each in paper.sent)
    ]
    return answer if answer.at >= (sent or thread.versions)[-1].at else None


class _Wanted:
    """The days that an order wants and an answer promises for one line."""

    def __init__(self, thread: OrderThread, answer: Paper, number: str) -> None:
        own = [
            said.deliver_on
            for paper in thread.versions
            for said in paper.lines
            if said.number == number
        ]
        at_door = [*(paper.deliver_on for paper in thread.versions), *own]
        leaving = [paper.leave_on for paper in thread.versions]
        self._at_door = next((day for day in reversed(at_door) if day), None)
        self._leaving = next((day for day in reversed(leaving) if day), None)
        self._answer = answer

    def late(self, promise: Promise | None, grace: int) -> tuple[date, date] | None:
        """Return (wanted, promised) where the promise is too late, by more than the grace."""
        deliver_on, ship_on = self._answer.deliver_on, self._answer.leave_on
        if promise is not None and (promise.deliver_on or promise.ship_on):
            deliver_on, ship_on = promise.deliver_on, promise.ship_on
        for wanted, promised in ((self._at_door, deliver_on), (self._leaving, ship_on)):
            if wanted and promised and promised > wanted + grace * _DAY:
                return wanted, promised
        return None


def _line(line: Line, said: Said, wanted: _Wanted, policy: Policy) -> Iterator[_Drift]:
    if line.total("shipped") < line.wanted:
        yield from _quantity(line, said, policy)
        yield from _days(line, said, wanted, policy)
    if line.total("invoiced") < line.wanted:
        yield from _price(line, said, policy)


def _quantity(line: Line, said: Said, policy: Policy) -> Iterator[_Drift]:
    if any(each.status == "substituted" for each in said.promises):
        yield _Drift(OTHER, line.item, _worth(line, line.wanted), "see the answer's line")
    promised = _promised(line, said, policy)
    if promised is None:
        return
    told = f"ordered {plain(line.wanted)}, promised {plain(promised)} {line.unit}"
    missing = _worth(line, abs(line.wanted - promised))
    if not promised:
        yield _Drift(REFUSED, line.item, missing, told)
    elif policy.beyond(promised, line.wanted):
        yield _Drift(LESS, line.item, missing, told)
    elif policy.beyond(line.wanted, promised):
        yield _Drift(MORE, line.item, missing, told)


def _promised(line: Line, said: Said, policy: Policy) -> Decimal | None:
    """How much is promised, in the line's unit; None where the answer does not say."""
    whole = (said.quantity, said.unit)
    parts = [
        (each.quantity, each.unit) if each.quantity is not None else whole
        for each in said.promises
        if each.status != "rejected"
    ]
    if not said.promises:
        parts = [whole]
    if any(not unit for _, unit in parts):
        return None
    turned = [policy.units.convert(each, unit, line.item, line.unit) for each, unit in parts]
    known = [each.to_value for each in turned if each is not None]
    return sum(known, _ZERO) if len(known) == len(turned) else None


def _price(line: Line, said: Said, policy: Policy) -> Iterator[_Drift]:
    if line.price is None or said.price is None:
        return
    one = policy.units.convert(Decimal(1), said.unit or line.unit, line.item, line.unit)
    if one is None:
        return
    price = said.price / one.factor
    other = bool(line.currency and said.currency and line.currency != said.currency)
    if other or policy.off_price(line.price, price):
        ours, theirs = line.currency or "", said.currency or ""
        worth = None if other else abs(price - line.price) * line.wanted
        told = f"ordered at {plain(line.price)} {ours}, answered at {plain(price)} {theirs}"
        yield _Drift(PRICE, line.item, worth, f"{told} per {line.unit}")


def _days(line: Line, said: Said, wanted: _Wanted, policy: Policy) -> Iterator[_Drift]:
    going: list[Promise | None] = [each for each in said.promises if each.status != "rejected"]
    if not said.promises:
        going = [None]
    late = [found for each in going if (found := wanted.late(each, policy.late_days))]
    if late:
        asked, promised = max(late, key=lambda each: each[1])
        told = f"wanted on {asked.isoformat()}, promised for {promised.isoformat()}"
        yield _Drift(LATE, line.item, _worth(line, line.wanted), told)


def _worth(line: Line, quantity: Decimal) -> Decimal | None:
    return None if line.price is None else line.price * quantity
