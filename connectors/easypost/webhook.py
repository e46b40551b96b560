"""EasyPost's webhook calls: HMAC-SHA256 of the raw body in hex, keyed with the webhook secret.

EasyPost normalises the secret to NFKD before it signs, and writes the signature as
``hmac-sha256-hex=<hex>`` (as its own client libraries do). There is no timestamp: a call that is
sent again is told by the event's id, which stands in the signed body.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from canonical.errors import Rejected
from connectors.base import Verified, WebhookCall
from connectors.easypost.codec import flow_of
from connectors.easypost.config import EasyPostConfig
from connectors.json_body import read_object
from connectors.transports.webhook import hmac_sha256, require_match

SIGNATURE = "x-hmac-signature"

_PREFIX = b"hmac-sha256-hex="
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9]{8,64}", re.ASCII)


class EasyPostWebhook:
    """Tells EasyPost's genuine calls from forged ones."""

    def __init__(self, config: EasyPostConfig) -> None:
        secrets = (secret.get_secret_value() for secret in config.webhook_secrets)
        self._secrets = [unicodedata.normalize("NFKD", secret).encode() for secret in secrets]

    def verify(self, call: WebhookCall) -> Verified:
        """Check the signature; only then read the event's id and kind out of the body.

        The delivery id is the event's id, or the hash of the body where there is none. A body
        that cannot be read is genuine all the same, and the codec says what is wrong with it.
        """
        expected = (_PREFIX + hmac_sha256(key, call.body).hex().encode() for key in self._secrets)
        given = call.headers.get(SIGNATURE)
        require_match(given.lower() if given else None, expected, SIGNATURE)
        try:
            event = read_object(call.body)
        except Rejected:
            event = {}
        event_id = event.get("id")
        if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
            event_id = hashlib.sha256(call.body).hexdigest()
        return Verified(event_id, flow_of(event))
