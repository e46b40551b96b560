"""One fuzzing process: ``python -m tests.fuzz.run TARGET MINUTES CORPUS FINDINGS``.

Guided by coverage (atheris). Time is counted in minutes of its own processor: a busy machine makes
it last longer, not less thorough. An input that takes more than two seconds of it is a finding.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import atheris

with atheris.instrument_imports(include=["canonical", "connectors"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS

HANG_SECONDS = 2.0
_LOOK_EVERY = 256


class Hang(AssertionError):
    """An input that takes too long."""


def main() -> None:
    """Fuzz until the minutes are over or something breaks; what was done goes to the findings."""
    name, minutes, corpus, findings = sys.argv[1:5]
    target, limit = TARGETS[name], float(minutes) * 60
    folder = Path(findings)
    words = folder / "words.txt"
    escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words)
    words.write_text("".join(f'"{word}"\n' for word in escaped), "utf-8")
    done = 0
    started = time.process_time()

    def one(data: bytes) -> None:
        nonlocal done
        done += 1
        if done % _LOOK_EVERY == 0:
            _note(folder, done, spent := time.process_time() - started)
            if spent > limit:
                os._exit(0)
        signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
        try:
            target.run(data)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    signal.signal(signal.SIGVTALRM, _hang)
    options = [
        f"-max_len={target.longest}",
        f"-dict={words}",
        f"-artifact_prefix={folder}/",
        "-timeout=86400",  # by the clock on the wall, which is not what counts here
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
        "-verbosity=0",
        *sys.argv[5:],
    ]
    atheris.Setup([sys.argv[0], *options, corpus], one)
    atheris.Fuzz()


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hang(f"more than {HANG_SECONDS} s for one input")


def _note(folder: Path, done: int, spent: float) -> None:
    (folder / "done.json").write_text(json.dumps({"inputs": done, "cpu_seconds": spent}), "utf-8")


if __name__ == "__main__":
    main()
