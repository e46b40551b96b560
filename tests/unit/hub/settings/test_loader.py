"""From files and environment to a site; every mistake with its file and line."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from hub.settings.loader import DEFAULTS, load
from hub.settings.model import ControlPoints, FolderTransport, Site
from hub.settings.places import SettingsError
from hub.settings.yaml_file import read_yaml

WriteSite = Callable[[str], Path]

# What is written instead of what; where the mistake is; its code; words of its detail.
MISTAKES = [
    # YAML itself
    ("  reference: bc", "  reference: [bc", 3, "yaml_invalid", "expected"),
    ("  reference: bc", "\treference: bc", 2, "yaml_invalid", "cannot start any token"),
    ("  acme: {name: Acme", "  acme: {name: {data_dir}", 4, "value_invalid", "partners.acme.name"),
    ("partners:", "control_points:\n  reference: bc\npartners:", 3, "key_duplicate", "line 1"),
    ("    name: Contoso", "    name: A\n    name: B", 7, "key_duplicate", "`name`"),
    ("    name: Contoso", "    name: &a Contoso\n    currency: *a", 7, "yaml_unsupported", "alias"),
    ("    name: Contoso", "    name: !!binary aGk=", 6, "yaml_unsupported", "tags"),
    ("    name: Contoso", "    <<: {name: A}", 6, "yaml_unsupported", "plain name"),
    ("    name: Contoso", "    ? [a]\n    : b", 6, "yaml_unsupported", "plain name"),
    ("control_points:", "---\na: 1\n---\ncontrol_points:", 3, "yaml_invalid", "document"),
    # substitution
    ("in/acme", "${NOT_SET}/acme", 13, "variable_unset", "NOT_SET"),
    ("in/acme", "${not-a-name}", 13, "yaml_invalid", "${NAME}"),
    # names
    ("partners:", "partner:", 3, "option_unknown", "did you mean `partners`?"),
    ("    system: x12", "    sistem: x12", 9, "option_unknown", "did you mean `system`?"),
    ("      inbox:", "      inbux:", 13, "option_unknown", "did you mean `inbox`?"),
    ("      inbox: in/acme", "      url: http://x", 13, "option_unknown", "transport.url"),
    ("    flow: salesOrder", "    flow: s\n    wen: {}", 26, "option_unknown", "`when`"),
    ("  acme-edi:", "  Acme EDI:", 8, "value_invalid", "connections.Acme EDI"),
    # what is missing
    ("  reference: bc", "  default_ship_method: G", 1, "option_missing", "reference is required"),
    ("    system: x12\n", "", 8, "option_missing", "connections.acme-edi.system"),
    ("    action: create_order\n", "", 22, "option_missing", "routes[0].action"),
    ("      kind: folder\n", "", 11, "value_invalid", "kind"),
    # values
    ("      kind: folder", "      kind: foldr", 11, "value_invalid", "folder"),
    ("C10010", "10010", 4, "value_invalid", "put the value in quotes"),
    ("  - entity: order", "  - entity: ordre", 22, "value_invalid", "routes[0].entity"),
    ("{kind: poll}", "{kind: poll, every_seconds: 0}", 17, "value_invalid", "greater than 0"),
    ("  reference: bc", "  reference: b c", 2, "value_invalid", "reference"),
    ("  reference: bc", "  reference:", 2, "value_invalid", "reference"),
    ("partners:", "http: {port: 70000}\npartners:", 3, "value_invalid", "http.port"),
    ("partners:", "http: {port: no}\npartners:", 3, "value_invalid", "http.port"),
    ("partners:", "http: 8080\npartners:", 3, "value_invalid", "http"),
    ("partners:", "retry: {delays_seconds: 2}\npartners:", 3, "value_invalid", "delays_seconds"),
    ("partners:", "api_tokens: none\npartners:", 3, "value_invalid", "api_tokens"),
    ("partners:", "data_dir: 7\npartners:", 3, "value_invalid", "data_dir"),
    # secrets
    ("env:BC_SECRET", "hunter2", 20, "secret_inline", "options.client_secret"),
    ("env:BC_SECRET", "${BC_URL:-hunter2}", 20, "secret_inline", "options.client_secret"),
    ("env:BC_SECRET", "12345678", 20, "secret_inline", "options.client_secret"),
    ("env:BC_SECRET", '"env:"', 20, "secret_inline", "options.client_secret"),
    ("env:BC_SECRET", "[env:A, hunter2]", 20, "secret_inline", "client_secret[1]"),
    ("env:BC_SECRET", "{now: hunter2}", 20, "secret_inline", "client_secret.now"),
    ("partners:", "api_tokens: {ops: hunter2}\npartners:", 3, "secret_inline", "api_tokens.ops"),
    (
        "partners:",
        "servers:\n  database_url: postgresql://hub:hunter2@db/hub\npartners:",
        4,
        "secret_inline",
        "servers.database_url",
    ),
    (
        "partners:",
        "servers:\n  database_url: postgresql://db/hub?password=hunter2\npartners:",
        4,
        "secret_inline",
        "servers.database_url",
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[1].strip())
def test_a_mistake_is_told_with_its_line(
    write_site: WriteSite, site_text: str, mistake: tuple[str, str, int, str, str]
) -> None:
    written, instead, line, code, words = mistake
    assert site_text.count(written) >= 1
    path = write_site(site_text.replace(written, instead, 1))
    with pytest.raises(SettingsError) as refused:
        load(path)
    found = [(problem.code, problem.where) for problem in refused.value.problems]
    assert found == [(code, f"site.yaml:{line}")]
    assert words in refused.value.detail
    assert "hunter2" not in str(refused.value)


def test_all_mistakes_are_told_at_once(write_site: WriteSite, site_text: str) -> None:
    text = site_text.replace("    system: x12\n", "    colour: red\n")
    text = text.replace("kind: poll", "kind: pol")
    path = write_site(text.replace("env:BC_SECRET", "hunter2"))
    with pytest.raises(SettingsError) as refused:
        load(path)
    assert {(problem.code, problem.where) for problem in refused.value.problems} == {
        ("option_missing", "site.yaml:8"),
        ("option_unknown", "site.yaml:9"),
        ("value_invalid", "site.yaml:17"),
        ("secret_inline", "site.yaml:20"),
    }
    assert len(str(refused.value).splitlines()) == 4
    again = pickle.loads(pickle.dumps(refused.value))  # noqa: S301 - our own bytes
    assert str(again) == str(refused.value)


def test_a_site_without_mistakes_is_read(
    write_site: WriteSite, site_text: str, tmp_path: Path
) -> None:
    site = load(write_site(site_text)).site
    assert site.data_dir == tmp_path / ".crossdock"
    edi = site.connections["acme-edi"].transport
    assert isinstance(edi, FolderTransport)
    assert edi.inbox == tmp_path / "in" / "acme"
    assert site.connections["bc"].options == {
        "base_url": "https://bc.example",
        "client_secret": "env:BC_SECRET",
    }
    assert site.control_points.price_tolerance_amount == Decimal("0.01")


def test_an_environment_variable_stands_in_for_a_value(
    write_site: WriteSite, site_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BC_URL", "https://other.example")
    text = site_text.replace("in/acme", "in/$${BC_URL}")
    site = load(write_site(text)).site
    assert site.connections["bc"].options["base_url"] == "https://other.example"
    transport = site.connections["acme-edi"].transport
    assert isinstance(transport, FolderTransport)
    assert str(transport.inbox).endswith("in/${BC_URL}")


def test_the_data_folder_has_a_placeholder(
    write_site: WriteSite, site_text: str, tmp_path: Path
) -> None:
    text = site_text.replace("in/acme", '"{data_dir}/acme"') + "data_dir: work\n"
    transport = load(write_site(text)).site.connections["acme-edi"].transport
    assert isinstance(transport, FolderTransport)
    assert transport.inbox == tmp_path / "work" / "acme"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", "site/.crossdock"),
        ("data_dir: ../work\n", "site/../work"),
        ("data_dir: /srv\n", "/srv"),
    ],
)
def test_a_site_has_one_data_folder_wherever_it_is_started(
    tmp_path: Path, site_text: str, monkeypatch: pytest.MonkeyPatch, written: str, expected: str
) -> None:
    file = tmp_path / "site" / "site.yaml"
    file.parent.mkdir()
    file.write_text(site_text + written)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("BC_SECRET", "secret")
    monkeypatch.chdir(elsewhere)
    assert load(file).site.data_dir == tmp_path / expected
    monkeypatch.setenv("CROSSDOCK_DATA_DIR", "mine")
    assert load(file).site.data_dir == elsewhere / "mine"


def test_values_are_what_they_seem(write_site: WriteSite, site_text: str) -> None:
    bindings = (
        "{country: NO, zip: 0042, at: 12:30, on: 2026-01-01, rate: 0.10, n: -5, ok: true, z: ~}"
    )
    text = site_text.replace(
        "    partner: acme\n", f"    partner: acme\n    bindings: {bindings}\n"
    )
    assert load(write_site(text)).site.connections["acme-edi"].bindings == {
        "country": "NO",
        "zip": "0042",
        "at": "12:30",
        "on": "2026-01-01",
        "rate": "0.10",
        "n": -5,
        "ok": True,
        "z": None,
    }


def test_the_environment_goes_on_top_of_the_files(
    write_site: WriteSite, site_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSDOCK_HTTP__PORT", "9000")
    monkeypatch.setenv("CROSSDOCK_RETRY__DELAYS_SECONDS", "[1, 2.5]")
    monkeypatch.setenv("CROSSDOCK_OTLP_ENDPOINT", "http://localhost:4318")
    site = load(write_site(site_text + "http: {port: 8000, host: 10.0.0.9}\n")).site
    assert site.http.port == 9000
    assert site.http.host == "10.0.0.9"
    assert list(site.retry.delays_seconds) == [1, 2.5]
    assert site.otlp_endpoint == "http://localhost:4318"


@pytest.mark.parametrize(
    ("variable", "code", "words"),
    [
        ("CROSSDOCK_HTTP__PORT=many", "value_invalid", "http.port"),
        ("CROSSDOCK_HTTP__PROT=9000", "option_unknown", "did you mean `port`?"),
        ("CROSSDOCK_HTPP__PORT=9000", "option_unknown", "did you mean `http`?"),
        ("CROSSDOCK_HTTP__PORT__X=1", "option_unknown", "http.port.x"),
        ("CROSSDOCK_PARTNERS__ACME__NAME=x", "option_unknown", "partners"),
        ("CROSSDOCK_RETRY__DELAYS_SECONDS=1,2", "value_invalid", "JSON"),
    ],
)
def test_a_mistake_in_the_environment_is_told_by_its_variable(
    write_site: WriteSite,
    site_text: str,
    variable: str,
    code: str,
    words: str,
) -> None:
    path = write_site(site_text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*variable.split("=", 1))
        with pytest.raises(SettingsError) as refused:
            load(path)
    (problem,) = refused.value.problems
    assert problem.code == code
    assert problem.where.startswith("environment")
    assert words in problem.detail


@pytest.mark.parametrize("variable", ["DATABASE_URL", "CROSSDOCK_SERVERS__DATABASE_URL"])
def test_a_url_of_the_environment_stays_a_reference(
    write_site: WriteSite, site_text: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "postgresql://hub:hunter2@db/hub")
    site = load(write_site(site_text)).site
    assert site.servers.database_url == f"env:{variable}"
    assert "hunter2" not in repr(site)


def test_a_secret_of_our_own_name_in_the_environment_is_no_setting(
    write_site: WriteSite, site_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSDOCK_BC_CLIENT_SECRET", "hunter2")
    assert "hunter2" not in repr(load(write_site(site_text)))


@pytest.mark.parametrize(
    ("content", "code", "where"),
    [
        (b"\xff\xfe", "file_unreadable", "site.yaml:1"),
        (b"a: 1\nb: \xe9\n", "file_unreadable", "site.yaml:2"),
        (b"a: " + b"x" * 1_000_000, "file_unreadable", "site.yaml"),
        (b"a: " + b"[" * 20_000, "yaml_unsupported", "site.yaml"),
        (b"- a\n- b\n", "yaml_invalid", "site.yaml:1"),
        (b"just text", "yaml_invalid", "site.yaml:1"),
        (b"a: \x07", "yaml_invalid", "site.yaml"),
        (b"a: &a [*a]", "yaml_unsupported", "site.yaml:1"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    write_site: WriteSite, content: bytes, code: str, where: str
) -> None:
    path = write_site("")
    path.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        load(path)
    assert (refused.value.code, refused.value.where) == (code, where)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path / "none.yaml")
    assert (refused.value.code, refused.value.where) == ("file_missing", f"{tmp_path}/none.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path)
    assert refused.value.code == "file_unreadable"


def test_an_empty_file_lacks_what_is_required(write_site: WriteSite) -> None:
    with pytest.raises(SettingsError) as refused:
        load(write_site("# nothing yet\n"))
    assert {problem.detail for problem in refused.value.problems} == {
        "control_points.reference is required",
        "partners is required",
        "connections is required",
    }


def test_the_shipped_defaults_say_what_the_models_say() -> None:
    policy = ControlPoints(reference="bc")
    plain = Site(control_points=policy, partners={}, connections={})
    shipped = read_yaml(DEFAULTS, {}).values
    shipped["control_points"]["reference"] = "bc"
    assert Site.model_validate({**shipped, "partners": {}, "connections": {}}) == plain
