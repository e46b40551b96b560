"""A small HTTP server that stands for the hub and keeps what is posted to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Caught:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Catcher:
    """What came in; `statuses` are answered first, in order, then always 202."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    caught: list[Caught] = field(default_factory=list)


@contextmanager
def catching() -> Iterator[Catcher]:
    """Catch webhooks on a free port until the block ends."""
    catcher = Catcher()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            catcher.caught.append(
                Caught(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            )
            self.send_response(catcher.statuses.pop(0) if catcher.statuses else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    catcher.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield catcher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
