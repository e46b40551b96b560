"""Results of a check as a file: what was checked with what, signed, so that others can rely on it.

The signature (Ed25519, RFC 8032) is over the results in sorted compact JSON. Codes of the
`ConfigError` raised here: ``results_unreadable``, ``key_unreadable``, ``signature_missing``,
``signature_invalid``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from canonical import DOCUMENTS
from canonical.errors import ConfigError
from hub.contracts.outcome import Checked, Outcome
from hub.fields import field_types

Results = dict[str, Any]


def results_of(checked: Iterable[Checked], release: str, now: datetime) -> Results:
    """The results of one run.

    Args:
        checked: the contracts.
        release: the hub's version that they were checked with.
        now: when.

    """
    return {
        "release": release,
        "checked_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "fields": {entity: dict(field_types(entity)) for entity in DOCUMENTS},
        "contracts": [_as_json(each) for each in checked],
    }


def _as_json(checked: Checked) -> dict[str, Any]:
    outcomes = [outcome._asdict() for outcome in checked.outcomes]
    return {**checked._asdict(), "state": checked.state, "outcomes": outcomes}


def contracts_of(results: Results) -> list[Checked]:
    """The contracts in results.

    Raises:
        ConfigError: ``results_unreadable``.

    """
    try:
        return [_checked(dict(each)) for each in results["contracts"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError("results_unreadable", "contracts", type(error).__name__) from None


def _checked(values: dict[str, Any]) -> Checked:
    values.pop("state", None)
    outcomes = [
        Outcome(
            each["name"],
            each["kind"],
            tuple(each["problems"]),
            tuple(each["notes"]),
            tuple(each["produced"]),
        )
        for each in values.pop("outcomes")
    ]
    relies_on = {entity: tuple(paths) for entity, paths in values.pop("relies_on").items()}
    return Checked(**values, relies_on=relies_on, outcomes=tuple(outcomes))


def write_results(path: Path, results: Results, key: Path | None) -> None:
    """Write results, signed where a private key is given (PEM, as `openssl genpkey` writes it).

    Raises:
        ConfigError: ``key_unreadable``.

    """
    signature = None
    if key is not None:
        private = _private(key)
        public = private.public_key().public_bytes_raw()
        signature = {
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(public).decode(),
            "value": base64.b64encode(private.sign(_signed_text(results))).decode(),
        }
    whole = {"results": results, "signature": signature}
    path.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def read_results(path: Path, trusted: frozenset[str] | None) -> Results:
    """Read results.

    Args:
        path: the file.
        trusted: public keys (base64) of which one must have signed; None: an unsigned file is
            read too, but a wrong signature never.

    Raises:
        ConfigError: see the module's codes.

    """
    try:
        whole = orjson.loads(path.read_bytes())
        results, signature = whole["results"], whole.get("signature")
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigError("results_unreadable", str(path), type(error).__name__) from None
    if not isinstance(results, dict):
        raise ConfigError("results_unreadable", str(path), "expected results")
    if signature is None:
        if trusted is not None:
            raise ConfigError("signature_missing", str(path), "expected signed results")
        return results
    public = _verified(path, results, signature)
    if trusted is not None and public not in trusted:
        raise ConfigError("signature_invalid", str(path), "signed by a key that is not trusted")
    return results


def _verified(path: Path, results: Results, signature: Any) -> str:
    try:
        public = str(signature["public_key"])
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature["value"], validate=True), _signed_text(results))
    except (InvalidSignature, KeyError, TypeError, ValueError, binascii.Error):
        detail = "the signature does not fit what is signed"
        raise ConfigError("signature_invalid", str(path), detail) from None
    return public


def public_key_of(key: Path) -> str:
    """The public key (base64) of a private or public key file (PEM).

    Raises:
        ConfigError: ``key_unreadable``.

    """
    data = _key_bytes(key)
    try:
        public = serialization.load_pem_public_key(data)
    except ValueError:
        public = _private(key).public_key()
    if not isinstance(public, Ed25519PublicKey):
        raise ConfigError("key_unreadable", str(key), "expected an Ed25519 key")
    return base64.b64encode(public.public_bytes_raw()).decode()


def _private(key: Path) -> Ed25519PrivateKey:
    try:
        private = serialization.load_pem_private_key(_key_bytes(key), password=None)
    except (TypeError, ValueError):
        raise ConfigError("key_unreadable", str(key), "expected a PEM private key") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigError("key_unreadable", str(key), "expected an Ed25519 key")
    return private


def _key_bytes(key: Path) -> bytes:
    try:
        return key.read_bytes()
    except OSError as error:
        raise ConfigError("key_unreadable", str(key), error.strerror or "?") from None


def _signed_text(results: Results) -> bytes:
    return orjson.dumps(results, option=orjson.OPT_SORT_KEYS)
