"""Errors by action: what they say, and that processes can send them to each other."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

from canonical.errors import ConfigError, HubError, InDoubt, Rejected, Retryable

ERRORS = [
    Retryable("target_busy", "bc", "asked to wait", retry_after=2.5, throttled=True),
    Rejected("unit_unknown", "PO1[3].PO103", "expected a unit that the hub knows"),
    Rejected("refused").saying("HTTP 400: the customer is blocked"),
    InDoubt("answer_lost", "bc", "the connection was reset"),
    ConfigError("value_invalid", "partners/acme.yaml:14", "expected a number"),
]


def _state(error: HubError) -> dict[str, object]:
    return {"type": type(error), "args": error.args, "text": str(error), **vars(error)}


def _raise(error: HubError) -> None:
    raise error


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_keeps_everything(error: HubError, protocol: int) -> None:
    assert _state(pickle.loads(pickle.dumps(error, protocol))) == _state(error)  # noqa: S301


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_copying_keeps_everything(error: HubError) -> None:
    assert _state(copy.copy(error)) == _state(error)


def test_pickling_keeps_notes() -> None:
    error = Retryable("target_busy", retry_after=1.0)
    error.add_note("while delivering")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert again.__notes__ == ["while delivering"]
    assert again.retry_after == pytest.approx(1.0)


def test_an_error_raised_in_another_process_arrives_whole() -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        for error in ERRORS:
            with pytest.raises(type(error)) as caught:
                pool.submit(_raise, error).result(timeout=60)
            assert _state(caught.value) == _state(error)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HubError("code"), "code"),
        (HubError("code", "lines[3].unit_price"), "code at lines[3].unit_price"),
        (HubError("code", "", "expected more"), "code: expected more"),
        (HubError("code", "PO1[3].PO104", "expected more"), "code at PO1[3].PO104: expected more"),
    ],
)
def test_the_text_names_code_place_and_detail(error: HubError, text: str) -> None:
    assert str(error) == text


def test_every_action_is_caught_as_a_hub_error() -> None:
    assert all(isinstance(error, HubError) for error in ERRORS)


def test_an_action_is_never_caught_as_another() -> None:
    classes = [type(error) for error in ERRORS]
    assert not [(a, b) for a in classes for b in classes if a is not b and issubclass(a, b)]
