"""What the pages tell a reader to write down works: the first site, and the connector's example."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from canonical.errors import HubError
from hub.cli.config import find_problems
from hub.cli.map_trial import Trial, try_mapping
from tests.support.pages import ROOT, Page

QUICKSTART = Page(ROOT / "docs" / "quickstart.md")
GUIDE = Page(ROOT / "docs" / "connectors.md")
_NEEDED = (
    "canonical", "config", "connectors", "hub", "mappings", "tests/contract", "tests/support",
    "tests/unit/mappings",
)  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The site that the quick start has people write."""
    text, _ = QUICKSTART.code("yaml")
    path = tmp_path / "crossdock.yaml"
    path.write_text(text)
    return path


def test_the_first_site_has_no_mistakes(site: Path) -> None:
    assert find_problems(site) == ()


def test_the_site_with_an_erp_has_no_mistakes(tmp_path: Path) -> None:
    _, text = QUICKSTART.code("yaml")
    path = tmp_path / "crossdock.yaml"
    path.write_text(text)
    assert find_problems(path) == ()


def test_the_mistakes_shown_are_the_ones_that_are_found(site: Path) -> None:
    text = site.read_text().replace("partner: harbor\n", "partner: habor\n")
    site.write_text(text.replace('flow: "940"', 'flow: "9400"'))
    found = {(str(p.where).rpartition(":")[2], p.code, p.detail) for p in find_problems(site)}
    shown = re.findall(r"^bad\.yaml:(\d+) +│ (\w+) +│ (.*)$", QUICKSTART.text, re.M)
    assert found == set(shown)


@pytest.mark.parametrize(
    ("system", "flow", "entity", "connection"),
    [("x12", "850", "order", "harbor-edi"), ("x12", "945", "shipment", "depot-edi")],
)
def test_the_first_files_are_understood(
    site: Path, system: str, flow: str, entity: str, connection: str
) -> None:
    (file,) = [code for code in QUICKSTART.code("") if f"ST*{flow}" in code and "ISA*" in code]
    (result,) = try_mapping(Trial(system, flow, entity, file.encode(), connection, site))
    assert not isinstance(result, HubError), result
    assert result["lines"]


def test_the_example_of_the_connector_guide_passes_the_conformance_suite(tmp_path: Path) -> None:
    for folder in _NEEDED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in GUIDE.files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    _register(tmp_path / "connectors" / "registry.py")
    tests = ("tests/contract", "tests/unit/mappings")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    # From the copy's own folder, which Python then looks into first.
    done = subprocess.run(
        [*command, "-k", "dockside or registry"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]
    assert b"dockside" in b"".join(_collected(tmp_path, command))


def _collected(folder: Path, command: list[str]) -> list[bytes]:
    """Which tests ran, so that none at all does not pass for a success."""
    done = subprocess.run(
        [*command, "--collect-only", "-k", "dockside"], cwd=folder, capture_output=True, check=True
    )
    return done.stdout.splitlines()


def _register(registry: Path) -> None:
    """Do what step 6 of the guide says."""
    (line,) = [code for code in GUIDE.code("python") if code.strip().startswith('"dockside"')]
    text = registry.read_text()
    text = text.replace("from connectors import ", "from connectors import dockside, ")
    registry.write_text(re.sub(r"(CONNECTORS: .*= \{\n)", rf"\g<1>{line}", text))
