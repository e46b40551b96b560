"""Another AS2 implementation (pyas2lib), run as a process of its own by another Python.

It is under the GPL: nothing of ours imports it, nor this file. One JSON object a line comes in and
goes out: ``{"do": "write" | "read" | "confirm", ...}``, bytes in base64.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from typing import Any

_search = re.search


def _tolerant(pattern: Any, text: str, *rest: Any) -> Any:
    """Let a library read ``OpenSSL 3.0.19``, whose pattern knows one digit only."""
    found = _search(pattern, text, *rest)
    if found is None and r"\d\.\d\.\d[a-z]*" in str(pattern):
        return _search(pattern, "OpenSSL 3.0.9 ", *rest)
    return found


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Peer:
    """THEM, who trade with US."""

    def __init__(self, settings: dict[str, str], as2: Any) -> None:
        key = base64.b64decode(settings["key"])
        secret = settings["password"]
        self._as2 = as2
        self._settings = settings
        self._us = as2.Organization(
            as2_name="THEM",
            sign_key=key,
            sign_key_pass=secret,
            decrypt_key=key,
            decrypt_key_pass=secret,
        )
        self._written: dict[str, Any] = {}

    def _partner(self, options: dict[str, Any]) -> Any:
        certificate = base64.b64decode(self._settings["certificate"])
        return self._as2.Partner(
            as2_name="US",
            verify_cert=certificate,
            encrypt_cert=certificate,
            validate_certs=False,
            **options,
        )

    def write(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Write a message."""
        message = self._as2.Message(self._us, self._partner(asked["options"]))
        message.build(base64.b64decode(asked["payload"]), filename="order.x12")
        self._written[message.message_id] = message
        return {"headers": dict(message.headers), "body": _text(message.content)}

    def read(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Read a message of ours and write the receipt."""
        message = self._as2.Message()
        status, problem, mdn = message.parse(
            base64.b64decode(asked["raw"]),
            find_org_cb=lambda _name: self._us,
            find_partner_cb=lambda _name: self._partner({"mdn_digest_alg": "sha256"}),
        )
        answer = {"status": status, "problem": repr(problem[0]) if problem[0] else ""}
        if mdn is not None:
            answer |= {"headers": dict(mdn.headers), "body": _text(mdn.content)}
        return answer | {"payload": _text(message.content)}

    def confirm(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Read a receipt of ours for a message that was written here."""
        mdn = self._as2.Mdn()
        status, detail = mdn.parse(
            base64.b64decode(asked["raw"]),
            find_message_cb=lambda message_id, _partner: self._written[message_id],
        )
        return {"status": status, "detail": str(detail or "")}


def main() -> None:
    """Answer until the input ends."""
    re.search = _tolerant  # type: ignore[assignment]  # for one library, in this process alone
    from pyas2lib import as2  # type: ignore[import-not-found]  # noqa: PLC0415  # not in ours

    peer = Peer(json.loads(sys.stdin.readline()), as2)
    for line in sys.stdin:
        asked = json.loads(line)
        step = {"write": peer.write, "read": peer.read, "confirm": peer.confirm}[asked["do"]]
        sys.stdout.write(json.dumps(step(asked)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
