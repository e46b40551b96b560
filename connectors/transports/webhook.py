"""Signed webhooks: HMAC over the raw bytes, compared in constant time, and Standard Webhooks.

Two secrets are current while one is being replaced, so every comparison goes through all of them,
without an early exit. Signatures are compared as bytes: ``hmac.compare_digest`` raises TypeError on
text that is not ASCII, which would let a stranger cause an error of ours.

Codes, all `Rejected`; `where` names the header:

=============================  ==================================================================
``signature_missing``          no signature, or an empty one
``signature_invalid``          no current secret gives this signature; also a malformed header
``timestamp_outside_window``   genuine, but more than five minutes from now: a replay
=============================  ==================================================================
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence

from canonical.errors import ConfigError, Rejected
from connectors.base import WebhookCall

WINDOW_SECONDS = 300
"""How far a Standard Webhooks timestamp may lie from our clock, both ways (Svix uses the same)."""

_ID = re.compile(rb"[!-\-/-~]{1,128}")  # printable ASCII without blank and without "."
_SECONDS = re.compile(rb"[0-9]{1,12}")
_SHORTEST_KEY, _LONGEST_KEY = 24, 64  # bytes, as the specification sets them
_MOST_SIGNATURES = 16


def hmac_sha256(secret: bytes, message: bytes) -> bytes:
    """The raw 32 bytes of HMAC-SHA256 (RFC 2104)."""
    return hmac.digest(secret, message, hashlib.sha256)


def require_match(given: bytes | None, expected: Iterable[bytes], where: str) -> None:
    """Let a signature pass that equals one of those that the current secrets give.

    Args:
        given: the header's bytes as they came, in the sender's own encoding (base64, hex).
        expected: what each current secret gives, in the same encoding.
        where: the header's name.

    Raises:
        Rejected: ``signature_missing`` or ``signature_invalid``.

    """
    if not given:
        raise Rejected("signature_missing", where, "expected a signature")
    if not _matches_any([given], expected):
        raise Rejected("signature_invalid", where, "no current secret gives this signature")


def _matches_any(given: Sequence[bytes], expected: Iterable[bytes]) -> bool:
    matched = False
    for candidate in expected:
        for signature in given:
            matched |= hmac.compare_digest(signature, candidate)
    return matched


def standard_secret(text: str) -> bytes:
    """The key inside a Standard Webhooks secret, ``whsec_`` and base64 of 24 to 64 bytes.

    Raises:
        ConfigError: ``secret_invalid``.

    """
    try:
        key = base64.b64decode(text.removeprefix("whsec_").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        key = b""
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise ConfigError("secret_invalid", "", "expected whsec_ and base64 of 24 to 64 bytes")
    return key


def verify_standard(call: WebhookCall, keys: Sequence[bytes]) -> str:
    """Check a Standard Webhooks call (the `v1` scheme of its specification).

    Args:
        call: the request; `now` is what its timestamp is compared with.
        keys: the current keys, as `standard_secret` gives them.

    Returns:
        The ``webhook-id``, which is the delivery id: the same on every retry.

    Raises:
        Rejected: ``signature_missing``, ``signature_invalid`` or ``timestamp_outside_window``.

    """
    message_id = _header(call, "webhook-id", _ID)
    timestamp = _header(call, "webhook-timestamp", _SECONDS)
    given = call.headers.get("webhook-signature", b"").split(b" ")[:_MOST_SIGNATURES]
    if not any(given):
        raise Rejected("signature_missing", "webhook-signature", "expected a signature")
    signed = b".".join((message_id, timestamp, call.body))
    expected = (b"v1," + base64.b64encode(hmac_sha256(key, signed)) for key in keys)
    if not _matches_any(given, expected):
        raise Rejected(
            "signature_invalid", "webhook-signature", "no current secret gives this signature"
        )
    if abs(call.now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        raise Rejected(
            "timestamp_outside_window",
            "webhook-timestamp",
            f"expected a timestamp within {WINDOW_SECONDS} s of now",
        )
    return message_id.decode("ascii")


def _header(call: WebhookCall, name: str, pattern: re.Pattern[bytes]) -> bytes:
    value = call.headers.get(name)
    if not value:
        raise Rejected("signature_missing", name, "expected the header")
    if not pattern.fullmatch(value):
        raise Rejected("signature_invalid", name, "expected a well-formed header")
    return value
