"""The door of the emulated world: durable before answered, and misbehaving as scripted.

Every answer waits until all that it can have seen is on disk. A rule of the script replaces the
answer, or the effect, or both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from sandbox.company import Company
from sandbox.connection import Connection
from sandbox.json_text import dumps
from sandbox.misbehaviour import Rule, Script, Seen
from sandbox.world import CAUSED_BY, Effect, World

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MAX_BODY = 20_000_000
"""Most bytes of a request; Business Central's own limit is larger."""
_LOGIN_PAGE = b"<!DOCTYPE html><html><title>Sign in</title><body>Sign in to continue</body></html>"


@dataclass
class Answer:
    """A whole response."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Gate:
    """ASGI middleware around all emulated systems."""

    def __init__(self, app: App, world: World, script: Script, company: Company) -> None:
        self._app = app
        self._world = world
        self._script = script
        self._company = company

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            await _send(send, Answer(413))
            return
        rule = self._rule(scope, body)
        call = _Call(self._app, scope, body)
        if rule is None:
            answer = await call.run()
            await self._world.journal.flushed()
            await _send(send, answer)
            return
        await _Misplay(self._world, call, rule, receive, send).play()

    def _rule(self, scope: MutableMapping[str, Any], body: bytes) -> Rule | None:
        """Find the rule for a request and use it up."""
        if not self._script.rules or system_of(scope["path"]) == "control":
            return None
        path = scope["path"]
        query = unquote(scope["query_string"].decode("latin-1"))
        seen = Seen(
            system_of(path),
            scope["method"],
            f"{path}?{query}" if query else path,
            body,
            self._company.references_of(path),
        )
        rule = self._script.find(seen)
        if rule is not None:
            data = {"rule_id": rule.id, "kind": rule.kind, "method": seen.method, "path": seen.path}
            reference = rule.reference or next(iter(seen.references), "")
            self._world.record(Effect("misbehaviour", "misbehaviour_played", reference, data))
        return rule


def system_of(path: str) -> str:
    """Which emulated system a path belongs to."""
    if path.startswith("/_control"):
        return "control"
    return "entra" if path.endswith("/oauth2/v2.0/token") else "business_central"


class _Call:
    """One request that can be put to the application, also more than once."""

    def __init__(self, app: App, scope: MutableMapping[str, Any], body: bytes) -> None:
        self._app = app
        self.scope = scope
        self._body = body

    async def run(self) -> Answer:
        """Let the request take effect and give the whole answer."""
        answer = Answer(500)
        unread = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive() -> Message:
            return unread.pop() if unread else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        await self._app(self.scope, receive, send)
        return answer


@dataclass
class _Misplay:
    """One request that goes wrong."""

    world: World
    call: _Call
    rule: Rule
    receive: Receive
    send: Send

    async def play(self) -> None:
        """Do what the rule says; the effect is on disk before anything leaves.

        Cancelled when the server stops: the caller then sees its connection break, no answer.
        """
        try:
            await self._play()
        except asyncio.CancelledError:
            self._connection().reset()

    async def _play(self) -> None:
        plays: dict[str, Callable[[], Awaitable[None]]] = {
            "accept_then_reset": self._accept_then_reset,
            "reset_before": self._reset,
            "slow": self._slow,
            "hang": self._hang,
            "drip": self._drip,
            "apply_twice": self._apply_twice,
            "lose_invoice": self._lose_invoice,
        }
        play = plays.get(self.rule.kind)
        if play is not None:
            await play()
            return
        await self.world.journal.flushed()
        await _send(self.send, _without_effect(self.rule))

    async def _run(self) -> Answer:
        answer = await self.call.run()
        await self.world.journal.flushed()
        return answer

    async def _accept_then_reset(self) -> None:
        await self._run()
        await self._reset()

    async def _reset(self) -> None:
        await self.world.journal.flushed()
        self._connection().reset()
        await self._until_gone()

    async def _slow(self) -> None:
        await asyncio.sleep(self.rule.delay_seconds)
        await _send(self.send, await self._run())

    async def _hang(self) -> None:
        if self.rule.applies:
            await self._run()
        await self._until_gone()

    async def _drip(self) -> None:
        answer = await self._run()
        await self.send(_start(answer))
        for at in range(len(answer.body)):
            await asyncio.sleep(self.rule.delay_seconds)
            part = answer.body[at : at + 1]
            await self.send({"type": "http.response.body", "body": part, "more_body": True})
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _apply_twice(self) -> None:
        first = await self.call.run()
        token = CAUSED_BY.set("apply_twice")
        try:
            await self._run()
        finally:
            CAUSED_BY.reset(token)
        await _send(self.send, first)

    async def _lose_invoice(self) -> None:
        token = CAUSED_BY.set("lose_invoice")
        try:
            answer = await self._run()
        finally:
            CAUSED_BY.reset(token)
        await _send(self.send, answer)

    def _connection(self) -> Connection:
        connection: Connection = self.call.scope["state"]["connection"]
        return connection

    async def _until_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            continue


def _without_effect(rule: Rule) -> Answer:
    """An answer behind which nothing happened."""
    if rule.kind == "html_login":
        return Answer(200, [(b"content-type", b"text/html; charset=utf-8")], _LOGIN_PAGE)
    codes = {429: "Application_TooManyRequests", 401: "Authentication_InvalidCredentials"}
    error = {"code": codes.get(rule.status, "Unknown"), "message": "Try again later."}
    headers = [(b"content-type", b"application/json")]
    if rule.kind == "ok_with_error_body":
        error = {"code": "Internal_ServerError", "message": "The operation did not complete."}
        return Answer(200, headers, dumps({"error": error}))
    if rule.retry_after is not None:
        headers.append((b"retry-after", f"{rule.retry_after:g}".encode()))
    return Answer(rule.status, headers, dumps({"error": error}))


async def _read(receive: Receive) -> bytes | None:
    """Read a request's body; None where it is above the cap."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _start(answer: Answer) -> Message:
    headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _send(send: Send, answer: Answer) -> None:
    if answer.status == 204:  # noqa: PLR2004  RFC 9110, 15.3.5: no content, no length
        await send({"type": "http.response.start", "status": 204, "headers": answer.headers})
    else:
        await send(_start(answer))
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
