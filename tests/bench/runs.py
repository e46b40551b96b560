"""Measured runs, and the medians over rounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run."""

    orders: int
    seconds: float
    cpu: Mapping[str, float]
    """Group of processes -> processor seconds."""

    @property
    def orders_per_s(self) -> float:
        """Orders by the clock on the wall."""
        return self.orders / self.seconds

    @property
    def cores(self) -> float:
        """Processors in use, on the average; below two on two cores, somebody waited."""
        return sum(self.cpu.values()) / self.seconds


@dataclass(frozen=True, slots=True)
class Median:
    """The medians of runs of one kind."""

    orders_per_s: float
    lowest: float
    highest: float
    cores: float
    cpu_us: Mapping[str, float]
    """Processor microseconds per order, by group of processes."""

    @property
    def total_us(self) -> float:
        """Processor microseconds per order, of all processes."""
        return sum(self.cpu_us.values())


def median_of(runs: Sequence[Run]) -> Median:
    """Return the medians."""
    speeds = [run.orders_per_s for run in runs]
    return Median(
        orders_per_s=statistics.median(speeds),
        lowest=min(speeds),
        highest=max(speeds),
        cores=statistics.median(run.cores for run in runs),
        cpu_us={
            group: statistics.median(run.cpu[group] / run.orders * 1e6 for run in runs)
            for group in runs[0].cpu
        },
    )
