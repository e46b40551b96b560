"""Which programs the embedded servers run."""

from __future__ import annotations

from pathlib import Path

import pytest

from canonical.errors import ConfigError
from hub.servers import binaries
from hub.settings.model import Servers


def test_the_bundled_programs_are_new_enough() -> None:
    programs = binaries.find(Servers())
    assert binaries.version(programs.nats_server) >= binaries.NATS_MINIMUM
    assert binaries.version(programs.postgres) >= binaries.POSTGRES_MINIMUM
    assert binaries.version(programs.initdb) >= binaries.POSTGRES_MINIMUM
    assert binaries.version(programs.redis_server) >= binaries.REDIS_MINIMUM


def test_a_configured_program_goes_first(tmp_path: Path) -> None:
    own = tmp_path / "my-redis"
    own.touch()
    assert binaries.redis_server(Servers(redis_server=own)) == own


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        (Servers(nats_server=Path("/nowhere/nats-server")), "servers.nats_server"),
        (Servers(postgres_bin=Path("/nowhere")), "servers.postgres_bin"),
        (Servers(redis_server=Path("/nowhere/redis-server")), "servers.redis_server"),
    ],
)
def test_a_configured_program_that_is_not_there_is_named(settings: Servers, option: str) -> None:
    with pytest.raises(ConfigError) as refused:
        binaries.find(settings)
    assert (refused.value.code, refused.value.where) == ("binary_missing", option)


@pytest.mark.parametrize("script", ["echo no number here", "exit 1"])
def test_a_program_that_does_not_tell_its_version_is_named(tmp_path: Path, script: str) -> None:
    program = tmp_path / "server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(ConfigError) as refused:
        binaries.version(program)
    assert (refused.value.code, refused.value.where) == ("version_unknown", str(program))
