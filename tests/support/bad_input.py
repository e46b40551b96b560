"""A hub that is sent bad input, and what must hold of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.archive import Archive
from hub.ledger.tables import metadata
from hub.servers.addresses import Addresses
from tests.support.databases import drop_database, in_thread, make_database
from tests.support.hub_world import SETTLE_SECONDS, World, world
from tests.support.waiting import wait_until

CANARY = "Zebra7Quagga"
"""Stands in every payload, and may stand nowhere else."""
CANARY_PRICE = "54.9071717"

MAX_BODY, MAX_DECOMPRESSED, MAX_FILE = 300_000, 1_000_000, 200_000
_WORKERS = 2
"""One, and a spare."""
_ERRORS = {"code", "place", "detail", "fingerprint", "reasons", "details", "reason"}


def _small_caps(site: dict[str, Any]) -> None:
    site["http"] = {"max_body": MAX_BODY, "max_decompressed": MAX_DECOMPRESSED}
    site["connections"]["acme-edi"]["transport"]["max_bytes"] = MAX_FILE


@contextmanager
def running_hub(
    folder: Path, template: Addresses, name: str, program: Path | None = None
) -> Iterator[World]:
    """A world whose hub runs and has seen customers, items and stock.

    Args:
        folder: where everything of it is.
        template: the servers, with the migrated database.
        name: of the ledger that is made for it.
        program: a Python file that is the hub.

    """
    database = in_thread(lambda: make_database(template.database_url, name))
    addresses = Addresses(template.nats_url, database, template.redis_url)
    hub = {"program": [str(program)]} if program else {}
    with world(folder, addresses, _small_caps, **hub) as made:
        made.books.forget_streams()
        made.hub.start()
        wait_until(made.seeded, SETTLE_SECONDS, "reference data")
        yield made
    in_thread(lambda: drop_database(template.database_url, name))


def assert_unharmed(at: World, answers: list[str]) -> None:
    """The hub works as before, and has repeated nothing of what it was sent.

    Args:
        at: its world.
        answers: the texts that senders were answered.

    """
    wait_until(lambda: len(at.hub.worker_pids()) >= _WORKERS, SETTLE_SECONDS, "its workers")
    assert at.hub.ready()
    log = at.hub.log()
    assert "Traceback" not in log  # whose last line may quote anything
    told = [log, at.hub.metrics(), *_error_texts(at), *_notes(at), *answers]
    assert [text for text in told if CANARY in text or CANARY_PRICE in text] == []


def _error_texts(at: World) -> Iterator[str]:
    for table in metadata.tables.values():
        columns = sorted(_ERRORS & set(table.columns.keys()))
        if columns:
            query = f"SELECT {', '.join(columns)} FROM {table.name}"  # noqa: S608  our own names
            yield from (str(tuple(row.values())) for row in at.books.rows(query))


def _notes(at: World) -> Iterator[str]:
    for path in (at.folder_of("acme-edi") / "failed").glob("*.error.txt"):
        yield path.read_text("utf-8")


def set_aside(
    at: World, since: datetime | None = None, file: str | None = None
) -> tuple[str, str, str]:
    """Wait for the one dead letter since a moment, or of a file: (stage, code, where).

    Its bytes must be in the archive.
    """
    query = (
        "SELECT l.stage, l.code, l.place, r.archive, r.sha256 FROM dead_letter l "
        "JOIN receipt r ON r.id = l.receipt_id WHERE "
    )
    query += "r.facts->>'file' = :file" if file else "l.opened_at >= :since"
    values = {"file": file} if file else {"since": since}
    found = wait_until(lambda: at.books.rows(query, **values), SETTLE_SECONDS, "a dead letter")
    (row,) = found
    assert Archive(at.folder / "archive").read(row["archive"], row["sha256"])
    return row["stage"], row["code"], row["place"]


def until_documents(at: World, number: str, *verdicts: str) -> None:
    """Wait until the documents of a number have these verdicts, in this order."""

    def there() -> bool:
        return [verdict for verdict, _ in at.documents(number)] == [*verdicts]

    wait_until(there, SETTLE_SECONDS, f"{number}: {verdicts}")


Fresh = Callable[[], str]
"""Names for ledgers, each another one."""
