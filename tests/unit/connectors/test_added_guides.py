"""A set or message is added by adding a file, a version or directory by adding a folder.

Shown as an operator would see it: the program runs on a copy of the connectors, to which files are
added and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import edifact_text
from tests.support.hub_process import PROGRAM
from tests.support.processes import ROOT
from tests.support.x12_text import as_bytes, group, interchange

ROUTING = {
    "set": "753",
    "name": "Request for Routing Instructions",
    "group": "RF",
    "heading": ["BGN M 1", {"loop": "N1 O 5", "of": ["N1 M 1", "N3 O 2", "N4 O 1"]}],
    "detail": [{"loop": "LX O 9", "of": ["LX M 1", "DTM O 2"]}],
    "summary": [],
}
ASKED = "BGN*00*R-1*20261120\nN1*SF*ACME\nN4*HAMBURG***DE\nLX*1\nDTM*010*20261201"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The connectors, to be changed."""
    shutil.copytree(
        ROOT / "connectors",
        tmp_path / "connectors",
        ignore=shutil.ignore_patterns("samples", "__pycache__"),
    )
    return tmp_path / "connectors"


def run(copied: Path, **files: bytes) -> subprocess.CompletedProcess[str]:
    """`crossdock edi parse` of files, by the copied connectors."""
    folder = copied.parent / "files"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    path = os.pathsep.join((str(copied.parent), str(ROOT)))
    return subprocess.run(  # our own words
        [sys.executable, *PROGRAM, "edi", "parse", str(folder)],
        capture_output=True, text=True, check=False, cwd=copied.parent, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


def parsed(copied: Path, **files: bytes) -> dict[str, tuple[str, str, str, list[str]]]:
    """File -> (type, version, verdict, codes) of its one document."""
    done = run(copied, **files)
    assert done.stdout, done.stderr
    found = {}
    for line in done.stdout.splitlines():
        told: dict[str, Any] = json.loads(line)
        (one,) = told["interchanges"][0]["sets"]
        codes = [each["code"] for each in one["errors"]]
        found[Path(told["file"]).name] = one["type"], one["version"], one["verdict"], codes
    return found


def write(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(table), "utf-8")


def test_an_x12_set_is_added_by_a_file_and_a_version_by_a_folder(copied: Path) -> None:
    right = as_bytes(interchange(group("RF", [("753", ASKED)])))
    wrong = right.replace(b"BGN*00*R-1", b"BGN*00*")
    old = as_bytes(interchange(group("RF", [("753", ASKED)], version="003060")))
    assert parsed(copied, right=right, wrong=wrong, old=old) == {
        "right": ("753", "004010", "unchecked", []),
        "wrong": ("753", "004010", "unchecked", []),
        "old": ("753", "003060", "unchecked", []),
    }
    guides = copied / "x12" / "guides"
    write(guides / "004010" / "753.json", ROUTING)
    write(guides / "003060" / "release.json", {"base": "004010", "reads": ["003060"]})
    write(guides / "003060" / "753.json", {"like": "004010", "set": "753"})
    assert parsed(copied) == {
        "right": ("753", "004010", "accepted", []),
        "wrong": ("753", "004010", "rejected", ["element_missing"]),
        "old": ("753", "003060", "accepted", []),
    }


def test_an_edifact_message_is_added_by_a_file_and_a_directory_by_a_folder(copied: Path) -> None:
    text = edifact_text.ORDER
    asked = edifact_text.interchange(edifact_text.message(text, "OSTENQ")).encode()
    later = edifact_text.interchange(edifact_text.message(text, version="D:97A")).encode()
    assert parsed(copied, asked=asked, later=later) == {
        "asked": ("OSTENQ", "D96A", "unchecked", []),
        "later": ("ORDERS", "D97A", "rejected", ["directory_unknown"]),
    }
    guides = copied / "edifact" / "guides"
    orders = json.loads((guides / "D96A" / "ORDERS.json").read_text("utf-8"))
    write(guides / "D96A" / "OSTENQ.json", {**orders, "message": "OSTENQ", "name": "Enquiry"})
    (guides / "D97A").mkdir()
    for name in ("elements", "composites", "segments", "ORDERS"):
        shutil.copy(guides / "D96A" / f"{name}.json", guides / "D97A")
    assert parsed(copied) == {
        "asked": ("OSTENQ", "D96A", "accepted", []),
        "later": ("ORDERS", "D97A", "accepted", []),
    }


def test_a_file_that_is_no_guide_is_named_with_what_is_wrong_in_it(copied: Path) -> None:
    bad = {**ROUTING, "heading": ["BGN M 1", "QQQ M 1"]}
    write(copied / "x12" / "guides" / "004010" / "753.json", bad)
    done = run(copied, a=as_bytes(interchange(group("RF", [("753", ASKED)]))))
    assert (done.returncode, done.stdout) == (1, "")
    assert "guide_invalid at connectors/x12/guides/004010/753.json" in done.stderr
    assert "no segment QQQ" in done.stderr
    (copied / "edifact" / "guides" / "D96A" / "ORDERS.json").write_text("{", "utf-8")
    done = run(copied, a=edifact_text.orders().encode())
    assert "guide_invalid at connectors/edifact/guides/D96A/ORDERS.json" in done.stderr
