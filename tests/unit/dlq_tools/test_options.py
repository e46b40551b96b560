"""Every command has all filters as options, and gets them as one value."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from dlq_tools.commands import app as dlq
from dlq_tools.options import choosing
from hub.cli.lazy import LazyGroup
from hub.clock import SystemClock
from hub.dead_letters.filters import Filters, Stage, State

LETTER = "0b0e9d0a-6c9e-5f0f-8a7e-4c3a2f1d5e6b"


def chosen(*arguments: str) -> Filters:
    """What a command gets from its command line."""
    got: list[Filters] = []
    app = typer.Typer()

    @app.command()
    @choosing
    def command(chosen: Filters, *, own: Annotated[int, typer.Option()] = 3) -> None:
        assert own == 3
        got.append(chosen)

    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return got[0]


def test_without_options_everything_fits() -> None:
    assert chosen() == Filters()


def test_all_filters_arrive() -> None:
    found = chosen(
        LETTER, "0b0e9d0a",
        "--group", "0123456789abcdef", "--partner", "acme", "--doc", "order", "--key", "PO-1",
        "--error", "customer_unknown", "--stage", "deliver", "--target", "bc",
        "--since", "2026-05-04", "--until", "1h", "--state", "archived", "--limit", "7",
    )  # fmt: skip
    assert found.ids == (LETTER, "0b0e9d0a")
    assert (found.group, found.partner, found.doc, found.key) == (
        "0123456789abcdef", "acme", "order", "PO-1",
    )  # fmt: skip
    assert (found.error, found.stage, found.target) == ("customer_unknown", Stage.DELIVER, "bc")
    assert (found.state, found.limit) == (State.ARCHIVED, 7)
    assert found.since is not None
    assert found.until is not None
    assert found.since.isoformat() == "2026-05-04T00:00:00+00:00"
    assert SystemClock().now() - found.until >= timedelta(hours=1)


@pytest.mark.parametrize("command", ["stats", "list", "plan", "replay", "archive", "restore"])
def test_every_command_that_chooses_has_every_filter(command: str) -> None:
    told = typer.main.get_command(dlq)
    assert isinstance(told, LazyGroup)
    has = {parameter.name for parameter in told.load(command).params}
    assert {field.name for field in fields(Filters)} <= has


@pytest.mark.parametrize("command", ["replay", "archive", "restore"])
def test_every_action_takes_actor_reason_and_dry_run(command: str) -> None:
    told = typer.main.get_command(dlq)
    assert isinstance(told, LazyGroup)
    has = {parameter.name: parameter for parameter in told.load(command).params}
    assert {"reason", "by", "dry_run", "yes", "output", "config"} <= has.keys()
    assert has["reason"].required


@pytest.mark.parametrize(
    "arguments", [("list", "short"), ("list", "--group", "abc"), ("show", "64")]
)
def test_an_id_that_is_too_short_is_refused_as_the_hub_refuses_it(
    arguments: tuple[str, ...],
) -> None:
    refused = CliRunner().invoke(dlq, [*arguments])
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "id_too_short" in refused.stderr
    assert "give at least 8 characters" in refused.stderr


@pytest.mark.parametrize("arguments", [("--since", "soon"), ("--stage", "x"), ("--limit", "0")])
def test_what_cannot_be_meant_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(dlq, ["list", *arguments]).exit_code == 2
