"""Bad files at a running hub: a precise answer, nothing lost, nobody hurt, nothing repeated.

Broken interchanges, and files that are not what they look like. All broken interchanges are dropped
at once, as a partner whose system has gone wrong would; each test looks what became of one.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.transports.names import safe_name
from hub.servers.addresses import Addresses
from tests.support.bad_input import (
    CANARY,
    MAX_FILE,
    Fresh,
    assert_unharmed,
    running_hub,
    set_aside,
    until_documents,
)
from tests.support.hub_senders import Acme
from tests.support.hub_world import SETTLE_SECONDS, World
from tests.support.waiting import wait_until

Damage = Callable[[str], str]


class Wrong(NamedTuple):
    """One way in which an interchange is wrong, and what must be said of it."""

    damage: Damage
    code: str
    where: str


def resub(pattern: str, instead: str) -> Damage:
    return lambda text: re.sub(pattern, instead, text, count=1)


def without_beg(text: str) -> str:
    shorter = re.sub(r"BEG[^~]*~\n", "", text)
    return re.sub(r"SE\*(\d+)", lambda found: f"SE*{int(found[1]) - 1}", shorter)


AS_A_WHOLE = {
    "cut": Wrong(lambda text: text[: text.index("CTT")], "interchange_truncated", "IEA"),
    "iea01": Wrong(resub(r"IEA\*1", "IEA*2"), "interchange_count_mismatch", "IEA01"),
    "iea02": Wrong(resub(r"IEA\*1\*\d", "IEA*1*7"), "interchange_control_mismatch", "IEA02"),
    "from": Wrong(resub("ACMEDIST  ", "ZEBRADIST "), "partner_unknown", "ISA06"),
    "to": Wrong(resub("CROSSDOCK  ", "SOMEBODY   "), "receiver_unknown", "ISA08"),
    "test": Wrong(resub(r"\*P\*>", "*T*>"), "usage_mismatch", "ISA15"),
    "short": Wrong(resub("ACMEDIST  ", "ACMEDIST"), "isa_length", "ISA06"),
    "one mark": Wrong(resub(r"\*>~", "*~~"), "delimiter_ambiguous", "ISA16"),
}
"""What no group can be told of: a dead letter, and nothing of it is processed."""

IN_A_SET = {
    "se01": Wrong(resub(r"SE\*\d+", "SE*99"), "set_count_mismatch", "SE01"),
    "se02": Wrong(resub(r"(SE\*\d+)\*\d+", r"\1*0009"), "set_control_mismatch", "SE02"),
    "ge01": Wrong(resub(r"GE\*1\*", "GE*7*"), "group_count_mismatch", "GE01"),
    "po1": Wrong(resub(r"\*1000\.80\*", f"*{CANARY}*"), "element_invalid_character", "PO1[1].PO104"),
    "date": Wrong(resub(r"(BEG\*.*)\*2026\d+", r"\1*20260230"), "date_invalid", "BEG[1].BEG05"),
    "beg": Wrong(without_beg, "segment_missing", "BEG[1]"),
}  # fmt: skip
"""What the 997 of its group says."""

NO_INTERCHANGE = [b"\x00" * 5000, b"ISA", b"ISA*", bytes(range(256)) * 10, b"hello\n"]


@pytest.fixture(scope="module")
def at(
    tmp_path_factory: pytest.TempPathFactory, template: Addresses, fresh_name: Fresh
) -> Iterator[World]:
    """One hub for all tests: whatever one of them sends must not hurt the others."""
    with running_hub(tmp_path_factory.mktemp("bad"), template, fresh_name()) as made:
        yield made


@pytest.fixture(scope="module")
def acme() -> Acme:
    return Acme()


@pytest.fixture(scope="module")
def broken(at: World, acme: Acme) -> dict[str, str]:
    """All broken interchanges, dropped; name -> the text before it was damaged."""
    texts = {}
    for name, wrong in (AS_A_WHOLE | IN_A_SET).items():
        texts[name] = interchange(acme, f"B-{name}")
        damaged = wrong.damage(texts[name])
        assert damaged != texts[name], name
        drop(at, f"{name}.x12", damaged)
    for number, body in enumerate(NO_INTERCHANGE):
        drop(at, f"none-{number}.x12", body + CANARY.encode())
    return texts


@pytest.fixture(autouse=True)
def unharmed(at: World) -> Iterator[None]:
    """What holds after every test."""
    yield
    assert_unharmed(at, [])


def drop(at: World, name: str, text: str | bytes) -> Path:
    """Put a file into acme's inbox, whole."""
    body = text if isinstance(text, bytes) else text.encode()
    inbox = at.folder_of("acme-edi")
    (inbox / ".dropped").write_bytes(body)
    return (inbox / ".dropped").rename(inbox / name)


def interchange(acme: Acme, number: str) -> str:
    """One order whose names and notes hold the canary."""
    return acme.interchange(acme.order(number, buyer_name=CANARY, note=CANARY))


def answers(at: World) -> str:
    """Everything that we have left for acme."""
    return "".join(path.read_text() for path in at.folder_of("acme-edi", "out").glob("*.x12"))


# Interchanges.


@pytest.mark.parametrize("name", AS_A_WHOLE)
@pytest.mark.usefixtures("broken")
def test_an_interchange_that_is_wrong_as_a_whole_is_set_aside_and_nothing_of_it_is_processed(
    at: World, name: str
) -> None:
    stage, code, where = set_aside(at, file=safe_name(f"{name}.x12"))
    assert (stage, code, where) == ("decode", AS_A_WHOLE[name].code, AS_A_WHOLE[name].where)
    assert at.documents(f"B-{name}") == []


@pytest.mark.parametrize("name", IN_A_SET)
def test_a_set_that_is_wrong_is_refused_in_its_997_with_its_place(
    at: World, broken: dict[str, str], name: str
) -> None:
    query = (
        "SELECT d.code, d.place, d.state FROM document d JOIN receipt r ON r.id = d.receipt_id "
        "WHERE d.direction = 'in' AND r.facts->>'file' = :file"
    )
    file = f"{name}.x12"
    (row,) = wait_until(lambda: at.books.rows(query, file=file), SETTLE_SECONDS, "a refusal")
    wrong = IN_A_SET[name]
    assert row == {"code": wrong.code, "place": wrong.where, "state": "rejected"}
    group = f"AK1*PO*{int(broken[name].split('*')[13])}~"
    wait_until(lambda: group in answers(at), SETTLE_SECONDS, "its 997")
    assert CANARY not in answers(at)


@pytest.mark.parametrize("number", range(len(NO_INTERCHANGE)))
@pytest.mark.usefixtures("broken")
def test_a_file_that_is_no_interchange_is_set_aside(at: World, number: int) -> None:
    stage, code, _ = set_aside(at, file=f"none-{number}.x12")
    assert (stage, code) in {("decode", "interchange_missing"), ("decode", "isa_unreadable")}


def test_one_bad_set_of_three_is_refused_and_two_are_accepted(at: World, acme: Acme) -> None:
    orders = [acme.order(number) for number in ("B-GOOD-1", "B-BAD", "B-GOOD-2")]
    parts = acme.interchange(*orders).split("~\nST*")
    parts[2] = parts[2].replace("*1000.80*", f"*{CANARY}*")
    drop(at, "partial.x12", "~\nST*".join(parts))
    until_documents(at, "B-GOOD-1", "accept")
    until_documents(at, "B-GOOD-2", "accept")
    assert at.documents("B-BAD") == []


@pytest.mark.parametrize("marks", ["|^\n", "\x1d\x1f\x1c", "=:'"])
def test_odd_delimiters_are_read_from_the_isa(at: World, acme: Acme, marks: str) -> None:
    number = f"B-{marks.encode().hex()}"
    text = interchange(acme, number).replace("~\n", "~")
    drop(at, f"{number}.x12", text.translate(str.maketrans("*>~", marks)))
    until_documents(at, number, "accept")


# Files that are not what they look like.


def refused_file(at: World, name: str) -> str:
    """Wait until a file stands in ``failed/`` under its safe name; the note beside it."""
    failed = at.folder_of("acme-edi") / "failed"
    note = failed / f"{name}.error.txt"
    wait_until(note.exists, SETTLE_SECONDS, f"a note on {name}")
    assert os.path.lexists(failed / name)
    return note.read_text("utf-8")


def test_a_file_that_is_still_being_written_is_read_once_it_stands_still(
    at: World, acme: Acme
) -> None:
    before = at.books.stored()
    text = interchange(acme, "B-SLOW")
    path = at.folder_of("acme-edi") / "slow.x12"
    pieces = iter(text[i : i + 20] for i in range(0, len(text), 20))
    with path.open("w") as file:
        until = time.monotonic() + 1.5  # three looks of the hub

        def written() -> bool:
            file.write(next(pieces, ""))
            file.flush()
            os.utime(path)
            assert at.books.stored() == before
            return time.monotonic() > until

        wait_until(written)
        file.write("".join(pieces))
    until_documents(at, "B-SLOW", "accept")
    assert at.books.stored() == before + 1


def test_a_temporary_name_is_left_alone_until_it_is_renamed(at: World, acme: Acme) -> None:
    inbox = at.folder_of("acme-edi")
    (inbox / "later.x12.part").write_text(interchange(acme, "B-PART"))
    drop(at, "sooner.x12", interchange(acme, "B-SOONER"))
    until_documents(at, "B-SOONER", "accept")
    assert at.documents("B-PART") == []
    (inbox / "later.x12.part").rename(inbox / "later.x12")
    until_documents(at, "B-PART", "accept")


def test_a_symbolic_link_is_moved_aside_and_never_followed(
    at: World, acme: Acme, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.x12"
    secret.write_text(interchange(acme, "B-LINK"))
    before = at.books.stored()
    (at.folder_of("acme-edi") / "link.x12").symlink_to(secret)
    assert "not_a_regular_file" in refused_file(at, "link.x12")
    assert secret.exists()
    assert at.books.stored() == before


def test_a_fifo_is_moved_aside_and_nobody_waits_for_it(at: World, acme: Acme) -> None:
    os.mkfifo(at.folder_of("acme-edi") / "pipe.x12")
    assert "not_a_regular_file" in refused_file(at, "pipe.x12")
    drop(at, "after-the-pipe.x12", interchange(acme, "B-PIPE"))
    until_documents(at, "B-PIPE", "accept")


def test_an_empty_file_is_moved_aside(at: World) -> None:
    drop(at, "empty.x12", b"")
    assert "file_empty" in refused_file(at, "empty.x12")


def test_a_file_over_the_cap_is_moved_aside_whole(at: World) -> None:
    body = CANARY.encode() * (MAX_FILE // 10)
    drop(at, "large.x12", body)
    assert "file_too_large" in refused_file(at, "large.x12")
    assert (at.folder_of("acme-edi") / "failed" / "large.x12").read_bytes() == body


@pytest.mark.parametrize(
    "name", ["x\\..\\..\\etc", "x%2f..%2f..%2fetc", "a.>.*.x12", "Bestellung für {x} $(id).x12", "x" * 255]
)  # fmt: skip
def test_a_name_that_would_lead_elsewhere_is_only_a_name(at: World, acme: Acme, name: str) -> None:
    number, text = f"B-N{len(name)}", interchange(acme, f"B-N{len(name)}")
    above = [at.folder_of("acme-edi").parent, at.folder / "folders", at.folder, at.folder.parent]
    known = [sorted(folder.iterdir()) for folder in above]
    path = drop(at, name, text)
    until_documents(at, number, "accept")
    wait_until(lambda: not path.exists(), SETTLE_SECONDS, "it is moved")
    assert (at.folder_of("acme-edi") / "done" / safe_name(name)).read_text() == text
    assert [sorted(folder.iterdir()) for folder in above] == known


@pytest.mark.parametrize("name", [b"two\nlines.x12", b"\xff\xfe.x12", b"bell\x07.x12"])
def test_a_name_that_cannot_be_printed_is_moved_aside(at: World, acme: Acme, name: bytes) -> None:
    inbox, failed = at.folder_of("acme-edi"), at.folder_of("acme-edi") / "failed"
    known = set(failed.glob("*")) if failed.exists() else set()
    (inbox / ".dropped").write_text(interchange(acme, "B-UNPRINTABLE"))
    (inbox / ".dropped").rename(inbox / os.fsdecode(name))
    moved = wait_until(lambda: set(failed.glob("*")) - known, SETTLE_SECONDS, "it is moved")
    wait_until(lambda: len(set(failed.glob("*")) - known) == 2, SETTLE_SECONDS, str(moved))
    (note,) = (path for path in set(failed.glob("*")) - known if path.suffix == ".txt")
    assert "name_unsafe" in note.read_text("utf-8")
    assert at.documents("B-UNPRINTABLE") == []


def test_the_same_bytes_under_another_name_are_a_duplicate(at: World, acme: Acme) -> None:
    text = interchange(acme, "B-TWICE")
    drop(at, "one.x12", text)
    until_documents(at, "B-TWICE", "accept")
    drop(at, "two.x12", text)
    until_documents(at, "B-TWICE", "accept", "duplicate")
