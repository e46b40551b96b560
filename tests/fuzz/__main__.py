"""`make fuzz`: ``python -m tests.fuzz [--target NAME] [--minutes N]``, a process a target.

What covers something new is kept in a working corpus under ``.crossdock/fuzz``; ``--keep`` then
takes the few smallest inputs that cover the same into ``tests/fuzz/corpus``, where every test run
finds them. A finding is an input beside the report of what it broke; the command then fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.fuzz.keep import smallest
from tests.fuzz.seeds import written
from tests.fuzz.targets import CORPUS, ROOT, TARGETS, inputs

_WORK = ROOT / ".crossdock" / "fuzz"
_BROKE = ("crash-", "oom-", "timeout-")
_NOTHING = {"inputs": 0, "cpu_seconds": 0.0}
_LARGEST = 3_000
"""A kept input has no more bytes than this."""


def main() -> int:
    """Fuzz what was asked for; 1 where something was found."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--target", choices=[*TARGETS, "all"], default="all")
    parser.add_argument("--minutes", type=float, default=1, help="processor minutes a target")
    parser.add_argument("--keep", action="store_true", help="take over what covers something new")
    asked = parser.parse_args()
    names = list(TARGETS) if asked.target == "all" else [asked.target]
    found = [_fuzz(name, asked.minutes) for name in names]
    if asked.keep:
        for name in names:
            _keep(name)
    return 1 if any(found) else 0


def _fuzz(name: str, minutes: float) -> bool:
    """Fuzz one target; whether anything was found."""
    corpus, findings = _WORK / name / "corpus", _WORK / name / "findings"
    _fill(name, corpus)
    shutil.rmtree(findings, ignore_errors=True)  # what was found before was mended, or comes again
    findings.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.fuzz.run", name, str(minutes)]
    command += [str(corpus), str(findings)]
    report = findings / "report.txt"
    with report.open("w", encoding="utf-8") as said:
        ended = subprocess.run(command, cwd=ROOT, stdout=said, stderr=said, check=False)
    found = any(path.name.startswith(_BROKE) for path in findings.iterdir())
    noted = findings / "done.json"
    done = json.loads(noted.read_text("utf-8")) if noted.exists() else _NOTHING
    spent = done["cpu_seconds"] / 60
    print(  # noqa: T201
        f"{name}: {done['inputs']:,} inputs in {spent:.1f} processor minutes, "
        + (f"FOUND something: {report}" if found else "nothing found")
        + (f" until it was ended ({ended.returncode})" if ended.returncode and not found else "")
    )
    return found or ended.returncode > 0  # or it could not even begin


def _fill(name: str, corpus: Path) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    files = [path for folder in TARGETS[name].seeds for path in folder.rglob("*.edi")]
    if (CORPUS / name).is_dir():
        files += inputs(name)
    contents = [path.read_bytes() for path in files] + written(name)
    for content in contents:
        (corpus / _name(content)).write_bytes(content)


def _keep(name: str) -> None:
    """Take the smallest inputs that cover what the working corpus covers."""
    target = CORPUS / name
    target.mkdir(parents=True, exist_ok=True)
    found = (path.read_bytes() for path in (_WORK / name / "corpus").iterdir())
    small = [content for content in found if len(content) <= _LARGEST]
    kept = {_name(content): content for content in smallest(small, TARGETS[name].run)}
    for path in inputs(name):
        if not path.name.startswith("found-"):  # what broke something once stays
            path.unlink()
    for file, content in kept.items():
        (target / file).write_bytes(content)
    print(f"{name}: {len(kept)} inputs kept")  # noqa: T201


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
