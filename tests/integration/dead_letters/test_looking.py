"""Counting, listing and showing dead letters; exit codes."""

from __future__ import annotations

import pytest

from canonical.errors import Rejected
from tests.support.dead_letters import Servers, Shell
from tests.support.deliveries import Books, fails_with, running, until
from tests.support.dying import dead, failed_slips, role, slip


async def test_failures_of_one_cause_are_counted_together(
    at: Servers, books: Books, desk: Shell
) -> None:
    for number in "123":
        await dead(at, books, number)
    await failed_slips(at, slip("PO-2"))
    groups = await desk.json("stats")
    assert [(group["count"], group["stage"], group["code"]) for group in groups] == [
        (3, "deliver", "customer_unknown"),
        (1, "map", "terms_unknown"),
    ]
    assert groups[0]["money"] == {"USD": "360"}
    assert groups[0]["partners"] == ["acme"]
    assert groups[0]["first_seen"] < groups[0]["last_seen"]
    only = await desk.json("list", "--group", groups[0]["group"])
    assert [row["number"] for row in only] == ["1", "2", "3"]


async def test_a_letter_is_shown_with_its_attempts_and_never_its_payload(
    at: Servers, desk: Shell
) -> None:
    await failed_slips(at, slip("PO-SECRET"))
    (letter,) = await at.letters()
    shown = await desk.json("show", letter["id"])
    assert shown["code"] == "terms_unknown"
    assert len(shown["receipt"]["sha256"]) == 64
    plain = await desk.run("show", letter["id"][:8])
    assert plain.exit_code == 0
    assert "PO-SECRET" not in plain.stdout + str(shown)
    asked = await desk.run("show", letter["id"], "--payload")
    assert "PO-SECRET" in asked.stdout


async def test_what_the_target_said_is_shown_and_nothing_that_was_sent_is_in_it(
    at: Servers, books: Books, desk: Shell
) -> None:
    answer = "HTTP 400, Application_DialogException: 1 is blocked for PO Secret 7"
    at.target.script.append(fails_with(Rejected("refused").saying(answer)))
    one = await books.order("PO Secret 7")
    async with running(role(at)):
        await until(books, one, "dead")
    said = "HTTP 400, Application_DialogException: 1 is blocked for …"
    (listed,) = await desk.json("list")
    (group,) = await desk.json("stats")
    shown = await desk.json("show", listed["id"])
    assert listed["said"] == group["said"] == shown["said"] == said
    assert [row["said"] for row in shown["history"]] == [said]
    plain = await desk.run("show", listed["id"])
    assert "is blocked for" in plain.stdout


async def test_a_delivery_is_shown_with_every_attempt_and_what_waits(
    at: Servers, books: Books, desk: Shell
) -> None:
    letter = await dead(at, books)
    await books.delivery("doc-1", "lakeside", after_target="bc")
    shown = await desk.json("show", letter["id"])
    assert [(row["n"], row["outcome"], row["code"]) for row in shown["history"]] == [
        (1, "dead", "customer_unknown")
    ]
    assert [row["target"] for row in shown["waiting"]] == ["lakeside"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("list", "--error", "no_such_code"), 3),
        (("show", "00000000"), 3),
        (("show", "0"), 4),
        (("list", "--since", "yesterday"), 2),
        (("replay", "--reason", "x"), 4),  # all of them? say so
        (("replay", "--target", "bc", "--reason", "x"), 4),  # nobody to ask
        (("replay", "--target", "bc", "--yes"), 2),  # no reason
        (("replay", "--target", "bc", "--reason", " ", "--yes"), 2),
        (("restore", "--target", "bc", "--reason", "x", "--yes"), 3),
        (("list", "--since", "1h", "--target", "bc", "--partner", "acme"), 0),
        (("list", "--until", "1h"), 3),
        (("list", "--key", "order/acme/1/"), 0),
        (("list", "--key", "XD1", "--state", "all"), 0),
        (("list", "--state", "archived"), 3),
        (("stats", "--stage", "map"), 3),
    ],
)
async def test_exit_codes(
    at: Servers, books: Books, desk: Shell, arguments: tuple[str, ...], code: int
) -> None:
    await dead(at, books)
    result = await desk.run(*arguments)
    assert result.exit_code == code, result.output


async def test_a_ledger_that_is_away_is_one_line_and_a_failure(at: Servers, desk: Shell) -> None:
    del at
    away = desk.environment | {"DEAD_LETTERS_DATABASE": "postgresql://nobody@127.0.0.1:1/none"}
    result = await Shell(desk.app, away).run("list")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
