"""The wheel holds all that the hub needs, and nobody else owns our top-level names."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.processes import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS: list[str] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

# Run outside of the checkout: everything must come from the wheel.
SMOKE = """
import importlib, pathlib, sys
home = pathlib.Path(sys.prefix)
for name in NAMES:
    module = importlib.import_module(name)
    places = list(module.__path__)
    assert places and all(home in pathlib.Path(p).parents for p in places), (name, places)
from importlib.metadata import files, packages_distributions
assert set(NAMES) <= {file.parts[0] for file in files("crossdock")}
# Folders without Python files (mappings, config) are nobody's by this count: that is fine too.
owners = {name: packages_distributions().get(name, ["crossdock"]) for name in NAMES}
assert all(owner == ["crossdock"] for owner in owners.values()), owners
from hub.mapping.files import mapping_files, shipped_mappings
from hub.settings.loader import DEFAULTS
assert home in DEFAULTS.parents and DEFAULTS.is_file()
assert len(list(mapping_files(shipped_mappings()))) == MAPPINGS
import hub.ledger.migrations.versions as versions
assert len(list(pathlib.Path(list(versions.__path__)[0]).glob("*.py"))) >= 1
"""


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with our wheel; dependencies are those of the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy: the checkout may be read-only or hold what git does not know.
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    source = folder / "source"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    run(*build, source, cwd=folder)
    shutil.rmtree(source)
    home = folder / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", wheel, cwd=folder)
    # Our dependencies by path: the files that make an editable install are not followed there.
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    others = sysconfig.get_path("purelib")
    (Path(site.strip()) / "dependencies.pth").write_text(f"{others}\n")
    return home


def test_the_wheel_holds_all_that_the_hub_needs(installed: Path, tmp_path: Path) -> None:
    mappings = len(list((ROOT / "mappings").glob("*/*.jsonata")))
    code = f"NAMES = {OURS!r}\nMAPPINGS = {mappings}\n{SMOKE}"
    run(installed / "bin" / "python", "-I", "-c", code, cwd=tmp_path)


def test_the_installed_command_runs_outside_of_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    crossdock = installed / "bin" / "crossdock"
    assert "demo" in run(crossdock, "--help", cwd=tmp_path)
    run(crossdock, "map", "lint", cwd=tmp_path)


def test_no_other_distribution_owns_our_names() -> None:
    owners = metadata.packages_distributions()
    foreign = {name: set(owners.get(name, [])) - {"crossdock"} for name in OURS}
    assert {name: found for name, found in foreign.items() if found} == {}


def test_every_package_of_the_checkout_is_in_the_wheel() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders <= set(OURS)


def test_the_distribution_cannot_be_uploaded_by_mistake() -> None:
    assert "Private :: Do Not Upload" in PYPROJECT["project"]["classifiers"]
