"""The errors of the hub, grouped by what the caller must do next.

HubError
├── Retryable      try again, later; nothing has taken effect
├── Rejected       never try again with the same input; a person or the sender must change it
├── InDoubt        the answer was lost: it may have taken effect. Ask before trying again
└── ConfigError    the hub itself is set up wrongly; stop and say where

Every error has a bounded `code` (a documented word, used as a metric label), a `where` that a
person can follow (``PO1[3].PO104``, ``lines[3].unit_price``, ``partners/acme.yaml:14``) and a
`detail` in plain words. None of the three ever carries a payload value or a secret. Beside them
stands what the other side `said` in its own words, where it said something: with its values
masked, never as it came.

Worker processes send these errors through pipes. `HubError` hands its three parts to `Exception`
and keeps everything else in ``__dict__``, so that pickling and copying lose nothing (except
``__cause__`` and the traceback, which pickle always drops).
"""

from __future__ import annotations

from typing import Self


class HubError(Exception):
    """Base of all errors that cross a module boundary.

    Args:
        code: a bounded, documented word such as ``unit_unknown``.
        where: the place, as a path that a person can follow; "" where there is none.
        detail: what was expected, in plain words; never a payload value.

    """

    def __init__(self, code: str, where: str = "", detail: str = "") -> None:
        super().__init__(code, where, detail)
        self.code = code
        self.where = where
        self.detail = detail
        self.said = ""
        """What the other side answered, its values masked; "" where it said nothing."""

    def saying(self, said: str) -> Self:
        """Return itself, with what the other side `said`: in its words, values masked."""
        self.said = said
        return self

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        return f"{self.code}{place}: {self.detail}" if self.detail else f"{self.code}{place}"


class Retryable(HubError):
    """A passing fault: nothing took effect, the same call may succeed later.

    Args:
        retry_after: seconds that the other side asked us to wait; None where it did not say.
        throttled: the other side is healthy but wants less (HTTP 429): lower the rate, and
            do not count it against the breaker.

    """

    def __init__(
        self,
        code: str,
        where: str = "",
        detail: str = "",
        *,
        retry_after: float | None = None,
        throttled: bool = False,
    ) -> None:
        super().__init__(code, where, detail)
        self.retry_after = retry_after
        self.throttled = throttled


class Rejected(HubError):
    """A lasting refusal: the same input will be refused again."""


class InDoubt(HubError):
    """The call may have taken effect: its answer was lost. Ask by our reference first."""


class ConfigError(HubError):
    """The hub's own configuration is wrong; `where` is ``file:line``."""
