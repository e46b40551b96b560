"""A small site to be right and wrong with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

SITE = """\
control_points:
  reference: bc
partners:
  acme: {name: Acme, customer_number: C10010}
  contoso:
    name: Contoso
connections:
  acme-edi:
    system: x12
    partner: acme
    transport:
      kind: folder
      inbox: in/acme
  bc:
    system: business_central
    partner: contoso
    transport: {kind: poll}
    options:
      base_url: ${BC_URL:-https://bc.example}
      client_secret: env:BC_SECRET
routes:
  - entity: order
    to: bc
    action: create_order
    flow: salesOrder
"""

WriteSite = Callable[[str], Path]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's own environment says must not count."""
    for name in list(os.environ):
        if name.startswith("CROSSDOCK_") or name in {"NATS_URL", "DATABASE_URL", "REDIS_URL"}:
            monkeypatch.delenv(name)


@pytest.fixture
def write_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteSite:
    """Writes ``site.yaml`` in an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        path = Path("site.yaml")
        path.write_text(text)
        return path

    return write


@pytest.fixture
def site_text() -> str:
    """A site without a mistake."""
    return SITE
