"""What is locked is what pyproject.toml asks for, each file by its hash; and what the audit says."""

from __future__ import annotations

import datetime
import importlib.util
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.processes import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
TODAY = datetime.date(2026, 11, 21)
LOCKS = ["run", "dev", "build"]
each_lock = pytest.mark.parametrize("lock", LOCKS)


def script(name: str) -> ModuleType:
    """A script of .ci, which is no package."""
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


AUDIT, SBOM = script("audit"), script("sbom")


def text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")


def asked(lock: str) -> list[Requirement]:
    """What pyproject.toml names for a lock."""
    groups = PYPROJECT["dependency-groups"]
    named = {
        "run": PYPROJECT["project"]["dependencies"],
        "dev": [*groups["dev"], *groups["build"]],
        "build": [*groups["build"], *PYPROJECT["build-system"]["requires"]],
    }[lock]
    return [Requirement(each) for each in named if isinstance(each, str)]


def locked(lock: str) -> dict[str, set[str]]:
    """Versions by name."""
    found: dict[str, set[str]] = {}
    for name, version in SBOM.pins(text(lock)):
        found.setdefault(name, set()).add(version)
    return found


@each_lock
def test_every_dependency_is_locked_at_a_version_that_it_allows(lock: str) -> None:
    versions = locked(lock)
    wrong = [
        str(each)
        for each in asked(lock)
        if not (found := versions.get(canonicalize_name(each.name)))
        or not all(each.specifier.contains(version) for version in found)
    ]
    assert wrong == [], "run: make lock"


@each_lock
def test_every_locked_package_has_a_hash(lock: str) -> None:
    lines = re.findall(r"^[a-z0-9].*", text(lock), re.M)
    pins = SBOM.pins(text(lock))
    assert len(lines) == len(pins)
    assert all(pins.values())


@each_lock
def test_a_lock_names_no_index_and_no_place(lock: str) -> None:
    assert re.findall(r"^-.*|.*(?:://|index-url| /\w).*", text(lock), re.M) == []


def test_the_locks_agree() -> None:
    together: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, versions in locked(lock).items():
            assert together.setdefault(name, versions) == versions, name


def report(*ids: str) -> dict[str, Any]:
    found = {"id": ids[0], "aliases": list(ids[1:]), "fix_versions": ["2.1"]}
    package = {"name": "leaky", "version": "2.0", "vulns": [found]}
    return {"dependencies": [package, {"name": "odd", "skip_reason": "not there"}]}


def test_a_known_vulnerability_is_named_with_the_version_to_go_to() -> None:
    assert AUDIT.vulnerable(report("GHSA-1"), set()) == ["leaky 2.0: GHSA-1, fixed in 2.1"]
    assert AUDIT.unknown(report("GHSA-1")) == ["odd"]


@pytest.mark.parametrize("name", ["GHSA-1", "CVE-1"])
def test_an_accepted_vulnerability_counts_again_after_its_date(name: str) -> None:
    entry = {"id": name, "reason": "we never call it", "until": TODAY}
    table = {"tool": {"crossdock": {"accepted": [entry]}}}
    found = report("GHSA-1", "CVE-1")
    assert AUDIT.vulnerable(found, AUDIT.accepted(table, TODAY)) == []
    assert AUDIT.vulnerable(found, AUDIT.accepted(table, TODAY + datetime.timedelta(1))) != []


@pytest.mark.parametrize("lacking", ["id", "reason", "until"])
def test_nothing_is_accepted_without_a_reason_and_a_date(lacking: str) -> None:
    entry = {"id": "GHSA-1", "reason": "we never call it", "until": TODAY}
    del entry[lacking]
    with pytest.raises(ValueError, match="id, reason and until"):
        AUDIT.accepted({"tool": {"crossdock": {"accepted": [entry]}}}, TODAY)


def test_what_is_accepted_now_is_well_formed() -> None:
    AUDIT.accepted(PYPROJECT, TODAY)


class Osv(BaseHTTPRequestHandler):
    """Knows one vulnerability, of click; fails on its other address."""

    def do_POST(self) -> None:  # the name is the library's
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        fixed = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}
        package = {"name": "click", "ecosystem": "PyPI"}
        affected = [{"package": package, "ranges": [fixed]}]
        known = {"id": "PYSEC-1", "aliases": ["CVE-1"], "summary": "leaks", "affected": affected}
        body = json.dumps({"vulns": [known]} if b'"click"' in asked else {}).encode()
        self.send_response(503 if self.path == "/away" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # so too
        """Nothing to say."""


@pytest.fixture
def osv() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_pip_audit_is_asked_about_what_is_locked(osv: str) -> None:
    found = AUDIT.ask([str(ROOT / "requirements" / "run.txt")], f"{osv}/query")
    assert found is not None
    (line,) = AUDIT.vulnerable(found, set())
    assert re.fullmatch(r"click [\d.]+: PYSEC-1, fixed in 99\.0", line)
    assert AUDIT.vulnerable(found, {"CVE-1"}) == []


def test_a_service_that_fails_was_not_reached_and_a_bad_lock_is_an_error(
    osv: str, tmp_path: Path
) -> None:
    assert AUDIT.ask([str(ROOT / "requirements" / "build.txt")], f"{osv}/away") is None
    lock = tmp_path / "bad.txt"
    lock.write_text("click\n")
    with pytest.raises(RuntimeError, match="pip-audit failed"):
        AUDIT.ask([str(lock)], f"{osv}/query")


def audit(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | None) -> int:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(AUDIT, "ask", lambda _locks: answer)
    code: int = AUDIT.main([])
    return code


def test_the_audit_fails_on_a_vulnerability_and_says_when_it_could_not_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(monkeypatch, report("GHSA-1")) == 1
    assert "leaky 2.0: GHSA-1" in capsys.readouterr().err
    assert audit(monkeypatch, None) == 0
    assert "NOT looked up" in capsys.readouterr().out


def test_the_bill_of_materials_lists_all_that_is_locked(tmp_path: Path) -> None:
    file = tmp_path / "new" / "sbom.json"
    command = [sys.executable, "-W", "error", ".ci/sbom.py", "requirements/run.txt", str(file)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    bill = json.loads(file.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "crossdock"
    listed = {(each["name"], each["version"]): each for each in bill["components"]}
    assert listed.keys() == SBOM.pins(text("run")).keys()
    assert all(each["hashes"] and each["purl"] for each in listed.values())
    (ours,) = (each for each in bill["dependencies"] if each["ref"] == "crossdock")
    assert len(ours["dependsOn"]) == len(asked("run"))
