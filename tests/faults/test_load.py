"""The load counts what it sends as the checker does: a document once, however often it is sent."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.faults.journal import Journal, read
from tests.faults.partners import Doc, FilePartner, WebPartner
from tests.support.waiting import wait_until

ALWAYS = 1.0


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def at_work(run: Callable[[threading.Event, threading.Event], None], stop: threading.Event) -> None:
    """Let a partner send in a thread."""
    go = threading.Event()
    go.set()
    threading.Thread(target=run, args=(stop, go), daemon=True).start()


def repeats(journal: Path) -> int:
    """How many transfers were sent."""
    return sum(row["said"] == "sent" for row in read(journal))


def test_a_file_that_is_sent_again_counts_once(tmp_path: Path, stop: threading.Event) -> None:
    inbox = tmp_path / "in"
    (inbox / "done").mkdir(parents=True)
    journal = tmp_path / "partners.jsonl"
    partner = FilePartner(
        "acme-edi",
        "ACME",
        inbox,
        Journal(journal),
        iter([[Doc("PO-1"), Doc("PO-2")]]),
        random.Random(1),  # noqa: S311  # a load, no secret
        every=3600.0,
        again=ALWAYS,
    )
    at_work(partner.run, stop)

    def taken() -> bool:
        for file in inbox.glob("*.x12"):
            file.rename(inbox / "done" / file.name)
        return partner.accepted == 2

    wait_until(taken, 30, "it was acknowledged, and again")
    stop.set()
    assert (repeats(journal), partner.sent) == (2, 2)


class Yes(BaseHTTPRequestHandler):
    """Says 200 to everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base has it
        """Say nothing."""


def test_a_call_that_is_made_again_counts_once(tmp_path: Path, stop: threading.Event) -> None:
    journal = tmp_path / "partners.jsonl"
    with ThreadingHTTPServer(("127.0.0.1", 0), Yes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        chance = random.Random(1)  # noqa: S311  # a load, no secret
        partner = WebPartner(Journal(journal), [url], lambda: 7, chance, every=3600.0, again=ALWAYS)
        at_work(partner.run, stop)
        wait_until(lambda: partner.accepted == 2, 30, "both calls heard yes")
        stop.set()
        server.shutdown()
    assert (repeats(journal), partner.sent) == (2, 1)
