"""The load of a campaign: who sends how much a second, until told to stop."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.journal import Journal
from tests.faults.partners import Doc, FilePartner, WebPartner
from tests.faults.site import ISA_IDS

_VERSIONS = 3
"""Of each order at the ERP: the original and two changes."""
_KEYS_AT_ONCE = 4
_BULK, _DOCK = 50, 10
"""Orders in one file of those whose orders are free, and of those that the dock gets."""
_SHOPS = 3


@dataclass(frozen=True, slots=True)
class Rates:
    """Documents a second of each partner; repeats come on top."""

    bulk: float
    web: float
    dock: float
    erp: float

    @classmethod
    def of(cls, rate: float) -> Rates:
        """Divide so many documents a second: mostly cheap ones, some of every kind."""
        web, dock, erp = 0.06 * rate, 0.04 * rate, 0.03 * rate
        return cls(rate - web - dock - erp, web, dock, erp)


class Load:
    """Partners at work, each in a thread."""

    def __init__(
        self, folder: Path, journal: Journal, urls: Sequence[str], seed: int, rates: Rates
    ) -> None:
        self._stop, self._go = threading.Event(), threading.Event()
        self._go.set()
        numbers = _Numbers()
        batches = {
            "acme-edi": (_versions(), _KEYS_AT_ONCE / rates.erp),
            "dockbuyer-edi": (_originals("D", _DOCK), _DOCK / rates.dock),
            "bulk-edi": (_originals("B", _BULK), _BULK / rates.bulk),
        }
        ahead = {"acme-edi": 1, "dockbuyer-edi": 2, "bulk-edi": 6}
        self.partners: list[FilePartner | WebPartner] = [
            FilePartner(
                name,
                ISA_IDS[name],
                folder / "folders" / name / "in",
                journal,
                batch,
                random.Random(f"{seed}/{name}"),  # noqa: S311  # a load, no secret
                every=every,
                ahead=ahead[name],
            )
            for name, (batch, every) in batches.items()
        ]
        self.partners += [
            WebPartner(
                journal,
                urls,
                numbers.next,
                random.Random(f"{seed}/shop{n}"),  # noqa: S311
                every=_SHOPS / rates.web,
            )
            for n in range(_SHOPS)
        ]
        self._threads = [
            threading.Thread(target=partner.run, args=(self._stop, self._go), daemon=True)
            for partner in self.partners
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send nothing new; what was sent is still repeated until it is acknowledged."""
        self._stop.set()

    def hold(self) -> None:
        """Send nothing new for a while."""
        self._go.clear()

    def go_on(self) -> None:
        """Send again."""
        self._go.set()

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for a yes."""
        return any(partner.waiting for partner in self.partners)

    @property
    def unheard(self) -> int:
        """How many transfers wait for their yes."""
        return sum(
            partner.waiting if isinstance(partner.waiting, int) else len(partner.waiting)
            for partner in self.partners
        )

    @property
    def done(self) -> bool:
        """Whether everything is sent and acknowledged."""
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def sent(self) -> int:
        """How many documents were handed over so far; what was sent again counts once."""
        return sum(partner.sent for partner in self.partners)

    @property
    def accepted(self) -> int:
        """How many transfers were acknowledged so far: what shows progress."""
        return sum(partner.accepted for partner in self.partners)

    def statuses(self) -> dict[str, int]:
        """What callers were answered: status -> how often; 0 for no answer."""
        found: dict[str, int] = {}
        for partner in self.partners:
            if isinstance(partner, WebPartner):
                for status, count in partner.statuses.items():
                    found[str(status)] = found.get(str(status), 0) + count
        return found


class _Numbers:
    """Numbers handed out to several threads, each once."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            return next(self._numbers)


def _originals(prefix: str, size: int) -> Iterator[Sequence[Doc]]:
    for first in itertools.count(1, size):
        yield [Doc(f"{prefix}{number:07d}") for number in range(first, first + size)]


def _versions() -> Iterator[Sequence[Doc]]:
    """Yield some orders, then their first changes, then their second: each after the other's yes."""
    for first in itertools.count(1, _KEYS_AT_ONCE):
        for version in range(1, _VERSIONS + 1):
            yield [Doc(f"E{number:07d}", version) for number in range(first, first + _KEYS_AT_ONCE)]
