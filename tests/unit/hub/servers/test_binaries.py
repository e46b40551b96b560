"""Which programs the embedded servers run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from canonical.errors import ConfigError
from hub.servers import binaries
from hub.settings.model import Servers


def test_the_bundled_programs_are_new_enough() -> None:
    servers = Servers()
    assert binaries.version(binaries.nats_server(servers)) >= binaries.NATS_MINIMUM
    for program in ("postgres", "initdb"):
        found = binaries.version(binaries.postgres(servers, program))
        assert found >= binaries.POSTGRES_MINIMUM
    assert binaries.version(binaries.redis_server(servers)) >= binaries.REDIS_MINIMUM


def test_a_configured_program_goes_first(tmp_path: Path) -> None:
    own = tmp_path / "my-redis"
    own.touch()
    assert binaries.redis_server(Servers(redis_server=own)) == own


@pytest.mark.parametrize(
    ("option", "find"),
    [
        ("nats_server", binaries.nats_server),
        ("postgres_bin", lambda settings: binaries.postgres(settings, "initdb")),
        ("redis_server", binaries.redis_server),
    ],
)
def test_a_configured_program_that_is_not_there_is_named(
    option: str, find: Callable[[Servers], Path]
) -> None:
    settings = Servers.model_validate({option: "/nowhere"})
    with pytest.raises(ConfigError) as refused:
        find(settings)
    assert (refused.value.code, refused.value.where) == ("binary_missing", f"servers.{option}")


@pytest.mark.parametrize("script", ["echo no number here", "exit 1"])
def test_a_program_that_does_not_tell_its_version_is_named(tmp_path: Path, script: str) -> None:
    program = tmp_path / "server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(ConfigError) as refused:
        binaries.version(program)
    assert (refused.value.code, refused.value.where) == ("version_unknown", str(program))
