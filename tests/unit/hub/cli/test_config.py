"""`crossdock config`: mistakes with file and line, and never a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hub.cli.config import app
from tests.support.processes import ROOT

REFERENCE = "env:CONFIG_TEST_TOKEN"
SITE = """\
control_points: {reference: bc}
partners:
  contoso: {name: Contoso}
connections:
  bc:
    system: business_central
    partner: contoso
    transport: {kind: poll}
    options:
      base_url: https://bc.example/v2.0
      company_id: 7dbba574-5f69-4167-a43e-fb975045de15
      token: env:CONFIG_TEST_TOKEN
servers:
  redis_url: redis://cache.example/0
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CONFIG_TEST_TOKEN", raising=False)
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def test_a_right_configuration_passes(site: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(site)])
    assert result.exit_code == 0
    assert "no mistakes" in result.output


@pytest.mark.parametrize(
    ("written", "instead", "line", "code"),
    [
        ("partner: contoso", "partnr: contoso", 7, "option_unknown"),
        ("partner: contoso", "partner: contosso", 7, "partner_unknown"),
        ("env:CONFIG_TEST_TOKEN", "canary", 12, "secret_inline"),
        ("https://bc", "http://127.0.0.1:80/bc", 10, "address_private"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    site: Path, written: str, instead: str, line: int, code: str
) -> None:
    site.write_text(SITE.replace(written, instead))
    result = CliRunner().invoke(app, ["check", str(site), "--output", "json"])
    assert result.exit_code == 1
    said = json.loads(result.output)
    assert said["ok"] is False
    assert [(p["where"], p["code"]) for p in said["problems"]] == [(f"{site}:{line}", code)]
    assert "canary" not in result.output
    table = CliRunner().invoke(app, ["check", str(site)])
    assert table.exit_code == 1
    assert code in table.output


EDI = """\
  edi:
    system: x12
    partner: contoso
    transport: {kind: folder, outbox: out}
    options: {our_id: US, partner_id: THEM}
    bindings: {curency: USD}
  far:
    system: x12
    partner: contoso
    transport: {kind: folder, outbox: far, stable_seconds: soon}
    options: {our_id: US, partner_id: FAR}
routes:
  - {entity: order, to: bc, action: creat, flow: salesOrder}
"""


def test_mistakes_of_every_kind_are_told_at_once(site: Path) -> None:
    text = SITE.replace("env:CONFIG_TEST_TOKEN", "canary").replace("reference: bc", "reference: cb")
    text = text.replace("https://bc", "http://127.0.0.1:80/bc")
    site.write_text(text.replace("servers:\n", EDI + "servers:\n"))
    result = CliRunner().invoke(app, ["check", str(site), "--output", "json"])
    said = {(p["code"], p["where"]) for p in json.loads(result.output)["problems"]}
    lines = site.read_text().splitlines()
    place = {word: f"{site}:{n}" for n, line in enumerate(lines, 1) for word in line.split()}
    assert said == {
        ("secret_inline", place["token:"]),
        ("address_private", place["base_url:"]),
        ("connection_unknown", place["{reference:"]),
        ("binding_unknown", place["{curency:"]),
        ("value_invalid", place["stable_seconds:"]),
        ("action_unknown", place["action:"]),
    }


def test_a_missing_secret_is_told_when_asked_for(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["check", str(site), "--secrets", "--output", "json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    (problem,) = json.loads(result.output)["problems"]
    assert (problem["where"], problem["code"]) == (f"{site}:12", "secret_unset")
    monkeypatch.setenv("CONFIG_TEST_TOKEN", "canary")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "canary" not in result.output


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(tmp_path / "none.yaml"), "-o", "json"])
    assert result.exit_code == 1
    assert json.loads(result.output)["problems"][0]["code"] == "file_missing"


def test_what_the_hub_would_use_is_shown_without_credentials(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIG_TEST_TOKEN", "canary")
    monkeypatch.setenv("DATABASE_URL", "postgresql://hub:canary@db/hub")
    monkeypatch.setenv("CROSSDOCK_HTTP__PORT", "9999")
    result = CliRunner().invoke(app, ["show", str(site), "--output", "json"])
    assert result.exit_code == 0
    values = json.loads(result.output)
    assert values["http"]["port"] == 9999
    assert values["servers"]["database_url"] == "env:DATABASE_URL"
    assert values["connections"]["bc"]["options"]["token"] == REFERENCE
    assert values["retry"]["budget"] == 0.1
    as_yaml = CliRunner().invoke(app, ["show", str(site)])
    assert yaml.safe_load(as_yaml.output) == values
    assert "canary" not in result.output + as_yaml.output


def test_a_wrong_configuration_is_not_shown(site: Path) -> None:
    site.write_text("partners: {}\n")
    result = CliRunner().invoke(app, ["show", str(site)])
    assert result.exit_code == 1
    assert "control_points.reference is required" in result.output


def test_the_demo_site_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:8081")
    for name in ("SHOPIFY_SECRET", "EASYPOST_SECRET", "BC_CLIENT_SECRET", "API_TOKEN"):
        monkeypatch.setenv(f"CROSSDOCK_{name}", "any-value-of-enough-letters")
    demo = str(ROOT / "config" / "demo.yaml")
    result = CliRunner().invoke(app, ["check", demo, "--secrets", "--output", "json"])
    assert json.loads(result.output)["problems"] == []
