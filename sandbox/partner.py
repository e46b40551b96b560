"""EDI customers: they drop 850 and 860 files into the hub's inbox and collect their 997s.

Usable in the sandbox process and without it (`open_partner`). A partner keeps its own journal of
what it sent, byte for byte, and of which acknowledgements came back. Effects: ``partner_file``
(recorded before the file exists), ``partner_file_left`` and ``partner_acknowledged``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sandbox import reference_data
from sandbox.folder import collect, leave, require_name
from sandbox.journal import Entry, Journal
from sandbox.purchase_order import PurchaseChange, PurchaseOrder
from sandbox.world import Effect, World
from sandbox.x12 import Envelope, Segment, TransactionSet, element, read, write

SYSTEM = "partner"


@dataclass(frozen=True)
class SentFile:
    """One file as it was handed over."""

    partner: str
    name: str
    text: str
    """Bytes as latin-1 text, so that any file keeps its bytes in the journal."""
    interchange: int = 0
    """ISA13; 0 where it is no interchange of ours."""
    documents: tuple[str, ...] = ()
    """Purchase order numbers in it."""
    again: str = ""
    """The name of the file that it repeats, byte for byte."""

    def row(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {
            "partner": self.partner, "name": self.name, "text": self.text,
            "interchange": self.interchange, "documents": list(self.documents),
            "again": self.again, "sha256": hashlib.sha256(self.data()).hexdigest(),
        }  # fmt: skip

    def data(self) -> bytes:
        """The file's bytes."""
        return self.text.encode("latin-1")


@dataclass
class Account:
    """What one partner remembers."""

    sent: dict[str, SentFile] = field(default_factory=dict)
    """File name -> file."""
    owed: dict[str, SentFile] = field(default_factory=dict)
    """Recorded, but perhaps not yet in the folder."""
    last_interchange: int = 0
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Group control number -> AK901 (A, E, P, R), or the TA1's code."""
    answers_seen: set[str] = field(default_factory=set)
    """sha256 of the acknowledgement files already read."""


class PartnerBook:
    """What all partners remember, rebuilt from the journal."""

    system = SYSTEM

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}

    def account(self, partner: str) -> Account:
        """One partner's memory."""
        return self.accounts.setdefault(partner, Account())

    def apply(self, entry: Entry) -> None:
        """Take an entry."""
        account = self.account(entry["partner"])
        if entry["effect"] == "partner_file":
            file = SentFile(
                entry["partner"], entry["name"], entry["text"], entry["interchange"],
                tuple(entry["documents"]), entry["again"],
            )  # fmt: skip
            account.sent[file.name] = account.owed[file.name] = file
            account.last_interchange = max(account.last_interchange, file.interchange)
        elif entry["effect"] == "partner_file_left":
            account.owed.pop(entry["name"], None)
        elif entry["effect"] == "partner_acknowledged":
            account.answers_seen.add(entry["sha256"])
            account.acknowledged.update(entry["groups"])


class Partner:
    """One customer."""

    def __init__(
        self, name: str, book: PartnerBook, world: World, hub_inbox: Path, hub_outbox: Path
    ) -> None:
        self.name = name
        self.isa_id = reference_data.PARTNERS.get(name, name.upper())
        self._book = book
        self._world = world
        self._hub_inbox = hub_inbox
        self._hub_outbox = hub_outbox
        for file in list(self._account.owed.values()):
            self._leave(file)

    def __enter__(self) -> Self:
        """The partner itself; its journal closes with the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Let go of the journal; for a partner on its own."""
        self._world.journal.close()

    @property
    def _account(self) -> Account:
        return self._book.account(self.name)

    def send_orders(self, orders: Sequence[PurchaseOrder]) -> SentFile:
        """Send 850s, all in one interchange."""
        return self._send("PO", "850", [(one.number, one.segments()) for one in orders])

    def send_changes(self, changes: Sequence[PurchaseChange]) -> SentFile:
        """Send 860s, all in one interchange."""
        return self._send("PC", "860", [(one.number, one.segments()) for one in changes])

    def send_again(self, name: str) -> SentFile:
        """Retransmit: the same bytes, so the same control numbers, under a new file name.

        Raises:
            KeyError: no such file was sent.

        """
        first = self._account.sent[name]
        copies = sum(file.again == name for file in self._account.sent.values())
        stem, _, suffix = name.rpartition(".")
        again = f"{stem}-again{copies + 1}.{suffix}"
        return self._hand_over(
            SentFile(self.name, again, first.text, first.interchange, first.documents, name)
        )

    def send_bytes(self, name: str, data: bytes) -> SentFile:
        """Send any file, such as a broken one."""
        return self._hand_over(SentFile(self.name, name, data.decode("latin-1")))

    def collect(self) -> dict[str, str]:
        """Read new acknowledgements; gives all so far, group control number -> verdict."""
        for path, data in collect(self._hub_outbox) if self._hub_outbox.is_dir() else ():
            digest = hashlib.sha256(data).hexdigest()
            if digest not in self._account.answers_seen:
                facts = {"partner": self.name, "name": path.name, "sha256": digest}
                groups = _verdicts(data)
                effect = Effect(
                    SYSTEM, "partner_acknowledged", self.name, {**facts, "groups": groups}
                )
                self._world.record(effect)
        self._world.journal.flush()
        return dict(self._account.acknowledged)

    def _send(self, group: str, code: str, sets: list[tuple[str, list[Segment]]]) -> SentFile:
        number = self._account.last_interchange + 1
        at = self._world.clock()
        envelope = Envelope(self.isa_id, reference_data.OUR_ID, number, at, group)
        text = write(envelope, [(code, segments) for _, segments in sets])
        name = f"{code}_{number:09d}.x12"
        documents = tuple(number for number, _ in sets)
        return self._hand_over(
            SentFile(self.name, name, text.encode().decode("latin-1"), number, documents)
        )

    def _hand_over(self, file: SentFile) -> SentFile:
        require_name(file.name)
        reference = file.documents[0] if file.documents else file.name
        self._world.record(Effect(SYSTEM, "partner_file", reference, file.row()))
        self._world.journal.flush()
        self._leave(file)
        return file

    def _leave(self, file: SentFile) -> None:
        leave(self._hub_inbox, file.name, file.data())
        data = {"partner": self.name, "name": file.name}
        reference = file.documents[0] if file.documents else file.name
        self._world.record(Effect(SYSTEM, "partner_file_left", reference, data))
        self._world.journal.flush()


def open_partner(
    name: str, journal: Path, hub_inbox: Path, hub_outbox: Path, clock: Callable[[], datetime]
) -> Partner:
    """A partner on its own, with a journal file of its own.

    Raises:
        BlockingIOError: another process holds the journal.

    """
    book = PartnerBook()
    return Partner(name, book, World(Journal(journal), [book], clock, 0), hub_inbox, hub_outbox)


def _verdicts(data: bytes) -> dict[str, str]:
    """What an acknowledgement file says about our groups; {} where it cannot be read."""
    try:
        interchanges = read(data.decode("utf-8"))
    except ValueError:
        return {}
    sets = [one for all_of in interchanges for group in all_of.groups for one in group.sets]
    found = dict(verdict for one in sets if (verdict := _verdict(one)))
    for interchange in interchanges:
        for segment in interchange.notices:
            found[f"TA1/{element(segment, 1)}"] = element(segment, 4)
    return found


def _verdict(one: TransactionSet) -> tuple[str, str] | None:
    if one.code != "997":
        return None
    parts = {segment[0]: segment for segment in one.segments}
    return element(parts.get("AK1", []), 2), element(parts.get("AK9", []), 1)
