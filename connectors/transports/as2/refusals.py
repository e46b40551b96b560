"""Why an AS2 message is refused, and the disposition that its receipt then carries.

All codes are `Rejected`; the receipt (MDN, RFC 3798) names the disposition beside it, in the words
of RFC 4130 section 7.5:

==================================  ============================================================
``as2_decryption_failed``           processed/error: decryption-failed
``as2_decompression_failed``        processed/error: decompression-failed
``as2_authentication_failed``       processed/error: authentication-failed
``as2_integrity_check_failed``      processed/error: integrity-check-failed
``as2_insufficient_security``       processed/error: insufficient-message-security
``as2_processing_error``            processed/error: unexpected-processing-error
``as2_message_id_conflict``         the same: the Message-ID came before with other content
``as2_partner_unknown``             processed/error: unknown-trading-partner
``as2_sender_equals_receiver``      failed/failure: sender-equals-receiver
``as2_unsupported_format``          failed/failure: unsupported format
``as2_mic_unsupported``             failed/failure: unsupported MIC-algorithms
==================================  ============================================================

Whatever is wrong with what was encrypted, until its signature has held, is
``as2_decryption_failed`` and nothing else: of garbage a sender must not learn how far it came.

``as2_header_invalid`` (no Message-ID, or a name or address that is none) has no receipt: there is
nothing that one could refer to.
"""

from __future__ import annotations

from canonical.errors import Rejected

PROCESSED = "processed"
_ERROR = "processed/error: "
_FAILURE = "failed/failure: "

DISPOSITIONS = {
    "as2_decryption_failed": _ERROR + "decryption-failed",
    "as2_decompression_failed": _ERROR + "decompression-failed",
    "as2_authentication_failed": _ERROR + "authentication-failed",
    "as2_integrity_check_failed": _ERROR + "integrity-check-failed",
    "as2_insufficient_security": _ERROR + "insufficient-message-security",
    "as2_processing_error": _ERROR + "unexpected-processing-error",
    "as2_message_id_conflict": _ERROR + "unexpected-processing-error",
    "as2_partner_unknown": _ERROR + "unknown-trading-partner",
    "as2_sender_equals_receiver": _FAILURE + "sender-equals-receiver",
    "as2_unsupported_format": _FAILURE + "unsupported format",
    "as2_mic_unsupported": _FAILURE + "unsupported MIC-algorithms",
}


def disposition_of(error: Rejected) -> str:
    """What the receipt says of a refusal; a code that is none of ours is an error of processing."""
    return DISPOSITIONS.get(error.code, DISPOSITIONS["as2_processing_error"])


def unreadable(detail: str) -> Rejected:
    """The refusal of what is no AS2 message."""
    return Rejected("as2_unsupported_format", "", detail)


def undecryptable() -> Rejected:
    """The refusal of what is encrypted and cannot be read, or is not the partner's; never why."""
    detail = "it cannot be decrypted with our keys, or what it holds is not signed as agreed"
    return Rejected("as2_decryption_failed", "", detail)
