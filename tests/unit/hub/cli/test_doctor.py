"""`crossdock doctor`: what would stop the hub, on real programs and servers."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hub.cli.doctor import doctor
from hub.servers.addresses import Addresses
from tests.support.as2_keys import certificate_pem, key, key_pem

SITE = """\
control_points: {reference: shop}
partners: {acme: {name: Acme}}
connections:
  shop:
    system: shopify
    partner: acme
    transport: {kind: webhook}
    options:
      shop_domain: acme.myshopify.com
      webhook_secrets: [env:DOCTOR_TEST_SECRET]
data_dir: DATA
http: {port: 0}
"""

HARBOR = """\
  harbor:
    system: x12
    partner: acme
    transport: {kind: folder, inbox: IN, outbox: OUT}
    options: {our_id: US, partner_id: HARBOR}
"""


class Report:
    """What one run of the doctor said."""

    def __init__(self, config: Path) -> None:
        app = typer.Typer()
        app.command()(doctor)
        result = CliRunner().invoke(app, ["--config", str(config), "--output", "json"])
        self.exit_code = result.exit_code
        self.text = result.output
        self.findings: list[dict[str, Any]] = json.loads(result.output)["findings"]

    def states(self, *words: str) -> dict[str, str]:
        """The states of the findings whose name contains one of the words."""
        return {
            finding["what"]: finding["state"]
            for finding in self.findings
            if any(word in finding["what"] for word in words)
        }


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCTOR_TEST_SECRET", "canary-canary-canary")
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("DATA", str(tmp_path / "data")))
    return path


def test_a_fit_machine_passes(site: Path) -> None:
    report = Report(site)
    assert report.exit_code == 0
    assert report.states("python", "engines", "configuration", "program", "port") == {
        "python": "ok",
        "mapping engines": "ok",
        "configuration": "ok",
        "nats program": "ok",
        "postgres program": "ok",
        "redis program": "ok",
        "http port": "ok",
    }
    assert "canary" not in report.text


def test_a_certificate_that_runs_out_soon_is_a_warning(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = key("soon", datetime.now(UTC) - timedelta(99), datetime.now(UTC) + timedelta(9))
    (site.parent / "them.pem").write_bytes(certificate_pem(soon))
    monkeypatch.setenv("DOCTOR_TEST_KEY", key_pem(key("us")).decode())
    transport = f"""{{kind: as2, our_id: US, partner_id: THEM, our_keys: [env:DOCTOR_TEST_KEY],
      partner_certificates: [{site.parent / "them.pem"}]}}"""
    harbor = HARBOR.replace("{kind: folder, inbox: IN, outbox: OUT}", transport)
    site.write_text(site.read_text().replace("data_dir:", f"{harbor}data_dir:"))
    report = Report(site)
    assert report.exit_code == 0
    states = {"our certificates, harbor": "ok", "their certificates, harbor": "warning"}
    assert report.states("certificates") == states
    monkeypatch.delenv("DOCTOR_TEST_KEY")
    assert "secret_unset" in Report(site).text


def test_an_unset_secret_does_not_keep_it_from_looking_at_the_rest(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCTOR_TEST_SECRET")
    text = HARBOR.replace("IN", str(site.parent / "gone")).replace(", outbox: OUT", "")
    site.write_text(site.read_text().replace("data_dir:", f"{text}data_dir:"))
    report = Report(site)
    assert "secret_unset" in report.text
    assert report.states("inbox", "program", "port") == {
        "inbox, harbor": "failed",
        "nats program": "ok",
        "postgres program": "ok",
        "redis program": "ok",
        "http port": "ok",
    }


def test_a_server_that_refuses_us_is_told_from_one_that_is_not_there(
    site: Path, servers: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(url: str) -> str:
        scheme, _, rest = url.partition("://")
        return f"{scheme}://nobody:wrong@{rest.rpartition('@')[2]}"

    monkeypatch.setenv("DATABASE_URL", other(servers.database_url))
    monkeypatch.setenv("NATS_URL", other(servers.nats_url))
    monkeypatch.setenv("REDIS_URL", other(servers.redis_url))
    report = Report(site)
    assert report.exit_code == 1
    for code in ("nats_refused at", "server_password_wrong at"):
        assert code in report.text
    assert "wrong@" not in report.text


def test_servers_by_url_are_asked_for_their_versions(
    site: Path, servers: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", servers.database_url)
    monkeypatch.setenv("NATS_URL", servers.nats_url)
    monkeypatch.setenv("REDIS_URL", servers.redis_url)
    report = Report(site)
    assert report.exit_code == 0
    assert report.states("server", "program") == {
        "nats server": "ok",
        "postgres server": "ok",
        "redis server": "ok",
    }
    assert servers.redis_url not in report.text


def test_servers_that_do_not_answer_are_told_apart(
    site: Path, monkeypatch: pytest.MonkeyPatch, unused: int
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:canary@127.0.0.1:{unused}/d")
    monkeypatch.setenv("NATS_URL", f"nats://u:canary@127.0.0.1:{unused}")
    monkeypatch.setenv("REDIS_URL", f"redis://:canary@127.0.0.1:{unused}/0")
    report = Report(site)
    assert report.exit_code == 1
    assert report.states("server") == {
        "nats server": "failed",
        "postgres server": "failed",
        "redis server": "warning",  # without it the hub is only slower
    }
    assert "canary" not in report.text


@pytest.fixture
def unused() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_fails(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        site.write_text(site.read_text().replace("port: 0", f"port: {taken}"))
        report = Report(site)
    assert report.exit_code == 1
    assert report.states("port") == {"http port": "failed"}


def test_a_missing_program_and_an_old_one_fail(site: Path, tmp_path: Path) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho Redis server v=5.0.14\n")
    old.chmod(0o755)
    settings = f"servers: {{redis_server: {old}, nats_server: /nowhere/nats-server}}\n"
    site.write_text(site.read_text() + settings)
    report = Report(site)
    assert report.exit_code == 1
    assert report.states("program") == {
        "nats program": "failed",
        "postgres program": "ok",
        "redis program": "failed",
    }
    assert "5.0.14 (at least 6.2)" in report.text


def test_a_wrong_configuration_and_a_missing_secret_fail(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCTOR_TEST_SECRET")
    report = Report(site)
    assert report.exit_code == 1
    assert "secret_unset" in report.text
    site.write_text(SITE.replace("partner: acme", "partner: nobody"))
    report = Report(site)
    assert report.exit_code == 1
    assert "partner_unknown" in report.text


def test_a_partners_folder_that_is_not_there_is_told_by_connection_and_side(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    edi = HARBOR.replace("IN", str(tmp_path / "in")).replace("OUT", str(tmp_path / "uot"))
    site.write_text(site.read_text().replace("data_dir", edi + "data_dir"))
    report = Report(site)
    assert report.states(", harbor") == {"inbox, harbor": "ok", "outbox, harbor": "failed"}, (
        report.text
    )
    assert report.exit_code == 1
    assert not (tmp_path / "uot").exists()
