"""`crossdock run`: what is wrong with a call is said in a line, with the exit code of its kind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hub.cli.exits import Exit
from hub.cli.main import build
from hub.ledger.faults import refusal
from hub.servers.lock import DataDirLock
from tests.support.site_file import write_site


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


def test_a_role_that_there_is_not_is_named() -> None:
    result = CliRunner().invoke(build(), ["run", "--roles", "api,jbs"])
    assert "no such role: jbs; did you mean `jobs`?" in result.output


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


def test_a_second_hub_on_a_folder_is_told_so_and_not_that_its_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        site = write_site(tmp_path, http={"port": taken.getsockname()[1]})
        lock = DataDirLock(tmp_path)
        lock.take()
        second = CliRunner().invoke(build(), ["run", "--config", str(site)])
        lock.release()
        assert (second.exit_code, second.stderr.split()[0]) == (Exit.FAILURE, "data_dir_in_use")
        alone = CliRunner().invoke(build(), ["run", "--config", str(site)])
        assert alone.exit_code == Exit.FAILURE
        assert alone.stderr.startswith("port_in_use at http.port")
        assert str(taken.getsockname()[1]) in alone.stderr


COMPANY = "7dbba574-5f69-4167-a43e-fb975045de15"
POLLED = {
    "system": "business_central",
    "partner": "acme",
    "transport": {"kind": "poll"},
    "options": {
        "base_url": "https://bc.example/v2.0",
        "company_id": COMPANY,
        "token": "env:BC_TOKEN",
    },
}


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        ((), "flow_missing", Exit.REFUSED),
        (("--flow", "850"), "flow_unknown", Exit.NOTHING_MATCHED),
        (("--flow", "customers"), "hub_not_running", Exit.FAILURE),
    ],
)
def test_a_file_of_a_polled_connection_has_to_say_what_it_is(
    tmp_path: Path, options: tuple[str, ...], code: str, exit_code: Exit
) -> None:
    site = write_site(tmp_path)
    values = yaml.safe_load(site.read_text())
    values["connections"]["bc"] = POLLED
    site.write_text(yaml.safe_dump(values))
    file = tmp_path / "po.edi"
    file.write_text("ISA*00*~")
    words = ["send", str(file), "--connection", "bc", *options, "--config", str(site)]
    result = CliRunner().invoke(build(), words)
    assert (result.exit_code, result.stderr.split()[0]) == (exit_code, code)
