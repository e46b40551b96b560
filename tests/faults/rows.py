"""One row of a matrix: what goes wrong, and which tests show what happens then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A row is proven by tests, or says what is not run and why; it may be both, in part.

    `tests` are pytest node ids without parameters. `not_run` says what no test shows.
    """

    number: int
    what: str
    tests: tuple[str, ...] = ()
    not_run: str = ""
    campaign: bool = False
    """Whether the schedule of `make faults` does it, too."""

    @property
    def state(self) -> str:
        """``run``, ``in part``, or ``not run``."""
        if not self.tests and not self.campaign:
            return "not run"
        return "in part" if self.not_run else "run"


def within(file: str, *names: str) -> tuple[str, ...]:
    """Node ids of several tests of one file."""
    return tuple(f"tests/{file}::test_{name}" for name in names)
