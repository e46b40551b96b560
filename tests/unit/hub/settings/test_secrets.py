"""Secrets are named, never written down, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from canonical.errors import ConfigError
from connectors.registry import CONNECTORS
from hub.settings.secrets import (
    has_password,
    is_reference,
    is_secret_name,
    resolve,
    resolve_options,
    secret_values,
)


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "client_secret",
        "webhook_secrets",
        "api-key",
        "apiKey",
        "KEY",
        "token",
        "refresh_tokens",
        "password",
        "passphrase",
    ],
)
def test_an_option_is_a_secret_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["token_url", "key_id", "monkey", "keyed", "secretary", "", "id"])
def test_an_option_that_only_looks_like_it_is_none(name: str) -> None:
    assert not is_secret_name(name)


def test_every_secret_field_of_a_connector_has_the_name_of_a_secret() -> None:
    fields = [
        (system, name)
        for system, connector in CONNECTORS.items()
        for name, field in connector.config.model_fields.items()
        if "SecretStr" in repr(field.annotation)
    ]
    assert fields
    assert [(system, name) for system, name in fields if not is_secret_name(name)] == []


def test_a_variable_is_resolved() -> None:
    assert resolve("env:TOKEN", "here", {"TOKEN": "hunter2"}) == "hunter2"


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"hunter2\n", "hunter2"), (b"hunter2\r\n", "hunter2"), (b" a\nb \n\n", " a\nb \n")],
)
def test_a_file_is_resolved_without_its_last_line_end(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    assert resolve(f"file:{tmp_path}/token", "here", {}) == secret


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("hunter2", "secret_inline"),
        ("env:", "secret_inline"),
        ("env:NOT-A-NAME", "secret_inline"),
        ("file:", "secret_inline"),
        ("env:UNSET", "secret_unset"),
        ("env:EMPTY", "secret_unset"),
        ("file:none", "secret_unset"),
        ("file:empty", "secret_unset"),
        ("file:.", "secret_unreadable"),
        ("file:large", "secret_unreadable"),
        ("file:binary", "secret_unreadable"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").write_text("\n")
    Path("large").write_text("hunter2" * 10_000)
    Path("binary").write_bytes(b"hunter2\xff")
    with pytest.raises(ConfigError) as refused:
        resolve(reference, "connections.shop.options.secret", {"EMPTY": ""})
    assert (refused.value.code, refused.value.where) == (code, "connections.shop.options.secret")
    assert "hunter2" not in str(refused.value)


def test_secrets_of_options_are_found_at_any_depth() -> None:
    options = {
        "url": "env:NOT_A_SECRET",
        "secrets": ["env:A", {"old": "env:B"}],
        "auth": {"client_id": "x", "client_secret": "env:C"},
    }
    assert dict(secret_values(options)) == {
        ("secrets", 0): "env:A",
        ("secrets", 1, "old"): "env:B",
        ("auth", "client_secret"): "env:C",
    }
    environ = {"A": "1", "B": "2", "C": "3"}
    resolved = resolve_options(options, "here", environ)
    assert resolved == {
        "url": "env:NOT_A_SECRET",
        "secrets": ["1", {"old": "2"}],
        "auth": {"client_id": "x", "client_secret": "3"},
    }
    assert options["secrets"] == ["env:A", {"old": "env:B"}]


def test_a_missing_secret_of_options_is_named() -> None:
    with pytest.raises(ConfigError) as refused:
        resolve_options({"keys": [{"now": "env:A"}]}, "connections.shop.options", {})
    assert refused.value.where == "connections.shop.options.keys[0].now"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://u:p@db/hub", True),
        ("postgresql://db/hub?user=u&password=p", True),
        ("nats://a:4222,nats://u:p@b:4222", True),
        ("postgresql://u@db/hub?sslmode=require", False),
        ("nats://a:4222,nats://b:4222", False),
    ],
)
def test_a_url_with_a_password_is_a_secret(url: str, *, secret: bool) -> None:
    assert has_password(url) is secret


@pytest.mark.parametrize("value", [None, 7, True, ["env:A"], "ENV:A", " env:A", "env:A "])
def test_only_the_exact_form_is_a_reference(value: object) -> None:
    assert not is_reference(value)
