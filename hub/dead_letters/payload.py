"""The bytes that a dead letter is about: shown only to who asks for them by name."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

from canonical.errors import Rejected
from hub.archive import Archive

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes and what they are: `of` is ``sent`` (to the target) or ``receipt``."""

    of: str
    body: bytes

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON: text where it is UTF-8, base64 otherwise; at most 1 MB of it."""
        head, cut = self.body[:_MOST_BYTES], len(self.body) > _MOST_BYTES
        found: dict[str, Any] = {"of": self.of, "size": len(self.body), "cut": cut}
        try:
            return found | {"text": head.decode()}
        except UnicodeDecodeError:
            return found | {"base64": base64.b64encode(head).decode()}

    def as_text(self) -> str:
        """Return it as text, undecodable bytes replaced; at most 1 MB of it."""
        return self.body[:_MOST_BYTES].decode(errors="replace")


async def payload(archive: Archive, letter: dict[str, Any]) -> Payload:
    """Return what was last sent, or what was received where nothing was.

    Args:
        archive: where the bytes are kept.
        letter: as `letters.show` gives it.

    Raises:
        Rejected: ``archive_damaged``, or ``payload_missing`` where nothing was kept.
    """
    sent, came = letter["delivery"], letter["receipt"]
    if sent is not None and sent["archive"] is not None:
        of, place, sha256 = "sent", sent["archive"], sent["sent_sha256"]
    elif came is not None:
        of, place, sha256 = "receipt", came["archive"], came["sha256"]
    else:
        raise Rejected("payload_missing", letter["id"], "no bytes were kept for it")
    return Payload(of, await asyncio.to_thread(archive.read, place, sha256))
