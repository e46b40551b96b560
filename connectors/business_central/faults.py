"""What an answer of Business Central means for the caller: an error by action, with a bounded code.

Retryable
    ``connection_failed``    could not connect: nothing left us
    ``answer_lost``          (reading) the answer did not come, or not in whole, or not in time
    ``throttled``            429; `retry_after` as the answer says
    ``target_unavailable``   503; when reading also 408, 500, 502, 504
    ``unauthorised``         401 or 403, or the token endpoint refuses us
    ``not_the_api``          an answer that is not the API's JSON (a proxy's or a login page)
    ``answer_too_large``     (reading) more bytes than `max_response_bytes`
    ``link_elsewhere``       a next page on another origin; it is not followed
    ``too_many_pages``       a collection that does not end
    ``etag_stale``           somebody else changed the record: read it again
    ``order_not_at_target``  no order has the reference yet
    ``answer_still_open``    not found, but the lost request may still be at work
InDoubt
    ``answer_lost``, ``not_the_api``  as above, after a write
    ``posting_unconfirmed``  posted, but no posted shipment carries our note
Rejected (when reading, Retryable: nothing took effect, and a person can set it right)
    ``unknown_at_target``    a customer, item or other record does not exist there
    ``not_found_at_target``  the address does not exist: company, record or API version
    ``field_refused``        a field's value is refused
    ``text_too_long``        a text is longer than its field
    ``duplicate_at_target``  a record with the same key exists
    ``application_refused``  the application's own logic refuses (closed period, blocked item ...)
    ``request_refused``      the request is malformed or not allowed
    ``refused``              any other code

The checks of orders and shipments before anything is written (`orders.py`, `posting.py`) add:
``reference_missing``, ``reference_ambiguous``, ``order_closed_at_target``,
``order_shipped_at_target``, ``line_unknown``, ``line_ambiguous``, ``line_shipped``,
``item_differs``,
``quantity_invalid``, ``unit_differs``, ``more_than_open``, ``nothing_shipped``,
``setting_not_kept``, ``body_invalid`` and ``action_unknown``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from canonical.errors import HubError, InDoubt, Rejected, Retryable
from connectors.wording import masked

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
"""Whole seconds by the RFC; fractions are sent all the same."""
LONGEST_WAIT = 3600.0
"""No Retry-After holds a delivery longer than this."""

_CODES = {
    "BadRequest_NotFound": "not_found_at_target",
    "BadRequest_ResourceNotFound": "not_found_at_target",
    "Internal_CompanyNotFound": "not_found_at_target",
    "Internal_RecordNotFound": "unknown_at_target",
    "Internal_DataNotFoundFilter": "unknown_at_target",
    "Internal_InvalidTableRelation": "unknown_at_target",
    "Internal_EntityWithSameKeyExists": "duplicate_at_target",
    "Application_FieldValidationException": "field_refused",
    "Application_EvaluateException": "field_refused",
    "Application_InvalidGUID": "field_refused",
    "Application_FilterErrorException": "field_refused",
    "Application_StringExceededLength": "text_too_long",
    "Application_DialogException": "application_refused",
    "Application_CallbackNotAllowed": "application_refused",
    "BadRequest": "request_refused",
    "BadRequest_InvalidRequestUrl": "request_refused",
    "BadRequest_InvalidOperation": "request_refused",
    "BadRequest_RequiredParamNotProvided": "request_refused",
    "BadRequest_MethodNotAllowed": "request_refused",
    "BadRequest_MethodNotImplemented": "request_refused",
}
"""Business Central's error code -> ours; a detail repeats only codes of this table."""

_CODE = re.compile(
    r"(Application|Authentication|Authorization|BadRequest|Internal|Request)(_[A-Za-z]{1,60})?",
    re.ASCII,
)
"""How Business Central's codes look; what looks otherwise is not repeated."""
_CORRELATION = re.compile(r"CorrelationId:\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_STALE_CODES = {"Request_EntityChanged", "BadRequest_InvalidToken"}
_SERVER_CODES = {"Internal_ServerError", "Internal_TenantUnavailable"}
_UNANSWERED = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class Stale(Retryable):
    """Our ETag is no longer the record's: nothing was written."""

    def __init__(self) -> None:
        super().__init__("etag_stale", "", "the record changed since it was read")

    def __reduce__(self) -> tuple[object, ...]:
        return Stale, ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What classification needs of an answer that is not a success.

    `code` is Business Central's ``error.code``, None where the body is not its error object;
    `message` its ``error.message``, as it came.
    """

    status: int
    code: str | None
    retry_after: float | None
    message: str = ""

    @property
    def said(self) -> str:
        """Status, code and message, without anything of the document or of a person."""
        code = self.code if self.code and _CODE.fullmatch(self.code) else ""
        told = f"HTTP {self.status}" + (f", {code}" if code else "")
        if not self.message:
            return told
        # Microsoft's support asks for the correlation id; it tells nothing else.
        found = _CORRELATION.search(self.message)
        words = masked(self.message[: found.start()] if found else self.message)
        return f"{told}: {words}" + (f" (correlation {found[1]})" if found else "")


def classify(answer: Answer, *, writing: bool) -> HubError:
    """Name what an unsuccessful answer means; see the module's tables."""
    return _meaning(answer, writing=writing).saying(answer.said)


def _meaning(answer: Answer, *, writing: bool) -> HubError:
    passing = _passing(answer)
    if passing is not None:
        return passing
    detail = _detail(answer)
    if answer.status in _UNANSWERED or answer.code in _SERVER_CODES:
        return lost(detail) if writing else Retryable("target_unavailable", "", detail)
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _refusal(answer, writing=writing)
    return not_the_api(detail, writing=writing)


def _passing(answer: Answer) -> Retryable | None:
    """Answers that say: not now, and nothing was done, whatever was asked."""
    detail, wait = _detail(answer), answer.retry_after
    match answer.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Retryable("throttled", "", detail, retry_after=wait, throttled=True)
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return Retryable("target_unavailable", "", detail, retry_after=wait)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Retryable("unauthorised", "", detail)
        case _:
            return None


def _refusal(answer: Answer, *, writing: bool) -> HubError:
    if answer.status == HTTPStatus.PRECONDITION_FAILED or answer.code in _STALE_CODES:
        return Stale()
    if answer.code is None:
        return Retryable("not_the_api", "", _detail(answer))
    kind = Rejected if writing else Retryable
    return kind(_CODES.get(answer.code, "refused"), "", _detail(answer))


def _detail(answer: Answer) -> str:
    return f"HTTP {answer.status}" + (f", {answer.code}" if answer.code in _CODES else "")


def lost(detail: str) -> InDoubt:
    """A write whose answer did not come back."""
    return InDoubt("answer_lost", "", detail)


def not_the_api(detail: str, *, writing: bool) -> HubError:
    """Something answered, but not the API."""
    kind = InDoubt if writing else Retryable
    return kind("not_the_api", "", detail)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 10.2.3: seconds or an HTTP date).

    None where there is none or it cannot be read; never below 0 nor above `LONGEST_WAIT`.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), LONGEST_WAIT)
