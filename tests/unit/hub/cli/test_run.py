"""`crossdock run`: what is wrong with a call is said in a line, with the exit code of its kind."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from hub.cli.exits import Exit
from hub.cli.main import build
from hub.ledger.faults import refusal


class Refused(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("quotes the user")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    "option", [("--log-level", "nope"), ("--log-format", "xml"), ("--roles", "intake,cook")]
)
def test_a_word_that_no_option_knows_is_a_usage_error(option: tuple[str, str]) -> None:
    result = CliRunner().invoke(build(), ["run", *option])
    assert result.exit_code == Exit.USAGE
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("sqlstate", "says"),
    [("28P01", "password"), ("28000", "password"), ("3D000", "no such database")],
)
def test_what_postgresql_refuses_is_told_from_its_being_away(sqlstate: str, says: str) -> None:
    error = RuntimeError("wrapped")
    error.__cause__ = Refused(sqlstate)
    assert says in str(refusal(error))


def test_a_server_that_is_away_is_no_refusal() -> None:
    assert refusal(ConnectionRefusedError()) is None
    assert refusal(Refused("57P01")) is None
