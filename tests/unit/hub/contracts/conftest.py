"""A contract to work on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS
from hub.contracts.model import read_contract
from hub.contracts.outcome import Checked
from hub.contracts.recorder import record
from hub.contracts.scaffold import new_partner
from hub.contracts.verifier import Verifier
from hub.mapping.files import shipped_mappings

Check = Callable[[], Checked]


@pytest.fixture(scope="session")
def verifier() -> Verifier:
    return Verifier(CONNECTORS, shipped_mappings())


@pytest.fixture
def folder(tmp_path: Path, verifier: Verifier) -> Path:
    """A new partner's contract, with what the hub makes of its examples."""
    folder = tmp_path / "acme"
    new_partner(folder, "acme", "Acme Tools")
    record(verifier, read_contract(folder))
    return folder


@pytest.fixture
def check(folder: Path, verifier: Verifier) -> Check:
    """Check it as it stands."""
    return lambda: verifier.check(read_contract(folder))
