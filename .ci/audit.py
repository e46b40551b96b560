"""Looks up known vulnerabilities of what is locked: ``audit.py LOCK...``; 1 where there is one.

Asks OSV by pip-audit, nothing is installed. Where OSV cannot be reached within ``PATIENCE`` one line
says so and the check goes on: a machine may have a mirror of packages and nothing else. What is
accepted stands in pyproject.toml, ``[[tool.crossdock.accepted]]``, with ``id``, ``reason`` and
``until``, a date: after it the vulnerability counts again.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

PATIENCE = 30  # seconds for all of it
OSV = "https://api.osv.dev/v1/query"
# What pip-audit's own errors and those of its HTTP library are called.
UNREACHED = ("ServiceError", "requests.exceptions.", "Could not connect")
ACCEPTED_KEYS = {"id", "reason", "until"}


def accepted(pyproject: dict[str, Any], today: datetime.date) -> set[str]:
    """The ids that count as accepted today.

    Raises:
        ValueError: An entry that lacks its reason or its date, or has something else.
    """
    ids = set()
    for entry in pyproject.get("tool", {}).get("crossdock", {}).get("accepted", []):
        dated = isinstance(entry.get("until"), datetime.date)
        if entry.keys() != ACCEPTED_KEYS or not entry["reason"] or not dated:
            raise ValueError("[[tool.crossdock.accepted]] wants id, reason and until, a date")
        if today <= entry["until"]:
            ids.add(entry["id"])
    return ids


def vulnerable(report: dict[str, Any], allowed: set[str]) -> list[str]:
    """One line for every vulnerability of pip-audit's report that is not allowed by any of its ids."""
    lines = set()
    for package in report["dependencies"]:
        for found in package.get("vulns", []):
            if allowed.isdisjoint({found["id"], *found.get("aliases", [])}):
                fixed = ", ".join(found["fix_versions"]) or "none yet"
                lines.add(
                    f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}"
                )
    return sorted(lines)


def unknown(report: dict[str, Any]) -> list[str]:
    """The packages that could not be judged, by name."""
    return sorted({each["name"] for each in report["dependencies"] if "skip_reason" in each})


def ask(locks: list[str], url: str = OSV) -> dict[str, Any] | None:
    """pip-audit's report on these locks; None where the service gave no answer in time.

    Raises:
        RuntimeError: pip-audit failed by itself, on a lock that it cannot read for example.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv"]
        command += ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
        command += [
            "--osv-url",
            url,
            "--timeout",
            "10",
            "--format",
            "json",
            "--output",
            str(output),
        ]
        command += [word for lock in locks for word in ("--requirement", lock)]
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return None
        # Its exit code is 1 for a vulnerability and for no network alike: the report tells them apart.
        if output.exists():
            report: dict[str, Any] = json.loads(output.read_text("utf-8"))
            return report
    if any(word in done.stderr for word in UNREACHED):
        return None
    raise RuntimeError(f"pip-audit failed: {done.stderr.strip().rpartition(chr(10))[2]}")


def main(locks: list[str]) -> int:
    """Print what was found, or that nobody could be asked; 1 where something was found."""
    today = datetime.datetime.now(datetime.UTC).date()
    allowed = accepted(tomllib.loads(Path("pyproject.toml").read_text("utf-8")), today)
    report = ask(locks)
    if report is None:
        print("audit: OSV cannot be reached: known vulnerabilities were NOT looked up")
        return 0
    if skipped := unknown(report):
        print("audit: not looked up:", ", ".join(skipped))
    found = vulnerable(report, allowed)
    for line in found:
        print("audit:", line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
