"""Where tests let a client go, and names that lead wherever a test wants."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import pytest

from connectors.reach import Reach

ANYWHERE = Reach(allow_private=True)
"""To servers of a test's own, on this machine."""


class ToThisMachine(Reach):
    """Takes this machine for the public address of every name."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """It is here."""
        del host, port
        return ["127.0.0.1"]


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> None:
    """Let every name have the addresses of the first answer, then of the next; the last one stays."""
    given: Iterator[Sequence[str]] = chain(answers[:-1], repeat(answers[-1]))

    def getaddrinfo(_host: str, port: int, *_rest: Any, **_options: Any) -> list[Any]:
        return [(_family(each), socket.SOCK_STREAM, 6, "", (each, port)) for each in next(given)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
