"""The progress word: memory that a worker shares with its parent, naming the step in hand.

The parent reads it to see a deadline pass, and after a death to know whom to suspect. The child
writes it without a system call; a value may be read half written, which at worst delays a verdict
by one look.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

DECODE = -1
"""The step of reading a receipt; its documents are the steps from 0."""

_WORD = struct.Struct("<qqqq")
_DEADLINE = struct.Struct("<q")
SIZE = _WORD.size
_IDLE = 0


@dataclass(frozen=True, slots=True)
class Word:
    """What a worker has in hand.

    `deadline` is in nanoseconds of the monotonic clock, which is the same in all processes;
    `cpu` the CPU nanoseconds that the worker had used when the step began.
    """

    deadline: int
    cpu: int
    task: int
    step: int

    @property
    def idle(self) -> bool:
        """Nothing is in hand."""
        return self.deadline == _IDLE


class Progress:
    """Both sides of the word.

    Args:
        descriptor: the shared file; the child inherits it from the parent.

    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, SIZE)

    def begin(self, task: int, step: int, seconds: float) -> None:
        """Child: a step of a task begins and may take so long."""
        deadline = time.monotonic_ns() + int(seconds * 1e9)
        _WORD.pack_into(self._memory, 0, deadline, time.process_time_ns(), task, step)

    def rest(self) -> None:
        """Child: nothing is in hand."""
        _DEADLINE.pack_into(self._memory, 0, _IDLE)

    def read(self) -> Word:
        """Parent: what is in hand."""
        return Word(*_WORD.unpack_from(self._memory, 0))

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self.descriptor)


class NoProgress:
    """Stands in where a job runs in the calling process and nobody watches."""

    def begin(self, step: int, seconds: float) -> None:
        """Do nothing."""


def shared_file() -> int:
    """A new file of the right size that no name leads to."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("crossdock-progress")
    else:
        descriptor, name = tempfile.mkstemp(prefix="crossdock-progress-")
        Path(name).unlink()
    os.ftruncate(descriptor, SIZE)
    return descriptor
