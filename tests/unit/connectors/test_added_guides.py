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

from canonical.errors import ConfigError
from connectors.edifact.engine import directory
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
    (copied / "x12" / "guides" / "004010" / "753.json").write_text('{\n"set": 753,,', "utf-8")
    done = run(copied)
    assert "guide_invalid at connectors/x12/guides/004010/753.json: not JSON: " in done.stderr
    assert "line 2 column 12" in done.stderr
    (copied / "edifact" / "guides" / "D96A" / "ORDERS.json").write_text("{\n,", "utf-8")
    (copied.parent / "files" / "a").write_bytes(edifact_text.orders().encode())
    done = run(copied)
    assert "guide_invalid at connectors/edifact/guides/D96A/ORDERS.json: not JSON: " in done.stderr
    assert "line 2 column 1" in done.stderr


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("LIM C 9", "no segment LIM is known: segments.json does not have it"),
        ("BGM M", "expected a tag, M or C, and a number, not 'BGM M'"),
        ({"group": "RFF C 9"}, "expected 'of', which is not there"),
        (7, "a list, a table or a text stands where another of them is expected"),
    ],
)
def test_a_row_that_is_wrong_in_an_edifact_guide_is_told_in_words(row: Any, why: str) -> None:
    table = {**directory.read_table("D96A", "ORDERS"), "heading": [row]}
    with pytest.raises(ConfigError) as refused:
        directory.compile_guide(table, "D96A")
    assert (refused.value.where, refused.value.detail) == (
        "connectors/edifact/guides/D96A/ORDERS.json", why,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "table", "why"),
    [
        ("753", {**ROUTING, "heading": ["BGN M"]}, "expected a tag, M or O, and a number or >1, not 'BGN M'"),
        ("753", {"set": "753", "name": "R", "group": "RF"}, "expected 'heading', which is not there"),
        ("segments", {"ZZZ": {"name": "Z", "elements": ["355"]}}, "ZZZ: expected an element and M, O or X, such as '355 M', not '355'"),
        ("segments", {"ZZZ": {"elements": []}}, "ZZZ: expected 'name', which is not there"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_in_an_x12_guide_is_told_in_words(
    copied: Path, name: str, table: dict[str, Any], why: str
) -> None:
    guides = copied / "x12" / "guides" / "004010"
    write(guides / "753.json", ROUTING)
    write(guides / f"{name}.json", table)
    done = run(copied, a=as_bytes(interchange(group("RF", [("753", ASKED)]))))
    assert f"guide_invalid at connectors/x12/guides/004010/{name}.json: {why}" in done.stderr
    assert "Traceback" not in done.stderr
