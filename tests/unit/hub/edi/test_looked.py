"""Files of any size are looked into while they are read: the same is told, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.inspectors import INSPECTORS
from connectors.report import Look
from hub.cli.edi_json import block, line
from hub.edi.files import CHUNK, Judge, format_of, looked, looking, unread
from hub.edi.spool import Spool
from tests.support.processes import ROOT
from tests.support.x12_text import ORDER, as_bytes, changed, group, interchange, isa, orders

SAMPLES = sorted(
    path for name in INSPECTORS for path in (ROOT / "connectors" / name / "samples").glob("*/*.edi")
)
WRONG_AT_ITS_END = changed(changed(orders(), "SE*17*", "SE*18*"), "IEA*1*", "IEA*2*")


def numbered(number: int, *, group_count: str = "GE*1*") -> bytes:
    """One order in an interchange of its own."""
    digits = f"{number:09d}"
    content = interchange(group("PO", [("850", ORDER)]), head=isa(digits), number=digits)
    return as_bytes(content).replace(b"GE*1*", group_count.encode())


def large(path: Path, size: int) -> Path:
    """A file of so many bytes at least, of right and of wrong interchanges."""
    with path.open("wb") as file:
        number = 0
        while file.tell() < size:
            number += 1
            file.write(numbered(number, group_count="GE*2*" if number % 3 == 0 else "GE*1*"))
    return path


GROWN = """
import resource, sys
from datetime import datetime, UTC
from pathlib import Path
from hub.cli.edi_json import line
from hub.edi.answers import answers
from hub.edi.compare import compared
from hub.edi.files import Judge, looking
from hub.edi.papers import shelved

def look(path):
    with looking(path, Judge(bodies=False)) as found:
        yield from line(found)

def answer(path):
    asked = {"strictness": "strict", "acknowledge": "997"}
    yield from answers(path, lambda _: (None, asked), datetime.now(UTC), set())

def differ(path):
    with shelved(path) as before, shelved(path) as after:
        yield from compared(before, after)

for path in sys.argv[2:]:
    for _ in globals()[sys.argv[1]](Path(path)):
        pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""The most memory that a process has taken, in kB, after each of the files."""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("tolerant", [False, True])
def test_a_file_that_is_streamed_is_told_like_one_that_is_in_memory(
    path: Path, *, tolerant: bool
) -> None:
    data = path.read_bytes()
    system = format_of(data)
    if system is None:
        return
    whole = looked(path, Judge(tolerant))
    told = INSPECTORS[system].inspect(data, Look(tolerant=tolerant))
    assert whole == {"file": str(path), "format": system, **told}
    with looking(path, Judge(tolerant)) as found:
        assert json.loads("".join(line(found))) == whole
        assert json.loads("".join(block(found))) == whole
        assert "".join(line(found)).count("\n") == 1


def test_what_is_known_at_the_end_of_an_interchange_reaches_its_first_set(tmp_path: Path) -> None:
    path = tmp_path / "a.edi"
    path.write_bytes(as_bytes(WRONG_AT_ITS_END) + b"\n" + numbered(7))
    result = looked(path, Judge())
    found = [[each["verdict"] for each in i["sets"]] for i in result["interchanges"]]
    assert (result["verdict"], found) == ("partly_accepted", [["rejected"], ["accepted"]])


def test_a_file_beyond_one_chunk_is_told_whole(tmp_path: Path) -> None:
    path = large(tmp_path / "a.edi", 3 * CHUNK)
    result = looked(path, Judge(bodies=False))
    verdicts = [i["sets"][0]["verdict"] for i in result["interchanges"]]
    assert len(verdicts) > 100
    assert verdicts == [
        "rejected" if n % 3 == 0 else "accepted" for n in range(1, len(verdicts) + 1)
    ]


@pytest.mark.parametrize("what", ["look", "answer", "differ"])
def test_a_file_ten_times_as_large_takes_no_more_memory(tmp_path: Path, what: str) -> None:
    small = large(tmp_path / "small.edi", 400_000)
    files = [str(small), str(large(tmp_path / "large.edi", 4_000_000))]
    command = [sys.executable, "-c", GROWN, what, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # our own words  # fmt: skip
    before, after = map(int, done.stdout.split())
    assert after - before < 2_500  # the file alone has more


@pytest.mark.parametrize("code", ["format_unknown", "file_unreadable"])
def test_what_is_no_edi_file_is_one_refusal(tmp_path: Path, code: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Dear partner,")
    unreadable = unread(path, "file_unreadable", "cannot be read").whole()
    whole = looked(path, Judge()) if code == "format_unknown" else unreadable
    assert (whole["verdict"], whole["ok"], whole["interchanges"]) == ("rejected", False, [])
    assert [error["code"] for error in whole["errors"]] == [code]


def test_a_spool_gives_back_what_it_was_given_as_often_as_it_is_asked() -> None:
    spool = Spool()
    given = [{"n": n, "text": "é\n" * 50_000} for n in range(20)]
    for each in given:
        spool.put(each)
    assert [list(spool), list(spool)] == [given, given]
    spool.close()
