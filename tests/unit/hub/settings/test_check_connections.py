"""What is wrong with a connection's options and transport is told, secrets set here or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.cli.known import known
from hub.settings.check import misfits
from hub.settings.loader import load, read

WriteSite = Callable[[str], Path]
SITE = """
control_points: {{ reference: one }}
partners: {{ acme: {{ name: Acme }} }}
connections:
  one: {{ system: {system}, partner: acme, transport: {{ kind: {kind} }}, options: {{ {options} }} }}
"""
OPTIONS = {
    "x12": "our_id: US, partner_id: ACME",
    "edifact": "our_id: US, partner_id: ACME",
    "shopify": "shop_domain: a.myshopify.com, webhook_secrets: [env:NOT_SET_HERE]",
    "easypost": "webhook_secrets: [env:NOT_SET_HERE]",
    "business_central": (
        'base_url: "https://bc.example/api/v2.0", token: "env:NOT_SET_HERE", '
        "company_id: e160007b-5faa-5628-bfda-1df6a9c51cd4"
    ),
}


def found(write_site: WriteSite, **parts: str) -> list[tuple[str, str]]:
    loaded = load(write_site(SITE.format(**parts)))
    return [(each.code, each.detail) for each in misfits(loaded, known())]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("shop_domain: contoso.example.com, webhook_secrets: [env:NOT_SET_HERE]", "myshopify.com"),
        ("shop_domain: a.myshopify.com, webhook_secrets: env:NOT_SET_HERE", "expected a list"),
        ("shop_domain: a.myshopify.com, webhook_secrets: []", "expected 1 or more in the list"),
    ],
)
def test_mistakes_beside_a_secret_that_is_not_set_are_told(
    write_site: WriteSite, options: str, words: str
) -> None:
    ((code, detail),) = found(write_site, system="shopify", kind="webhook", options=options)
    assert code == "value_invalid"
    assert words in detail
    assert "pattern" not in detail


def test_a_wrong_one_of_a_list_is_one_mistake(
    write_site: WriteSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHORT", "hunter2")
    options = "shop_domain: a.myshopify.com, webhook_secrets: [env:SHORT]"
    ((_, detail),) = found(write_site, system="shopify", kind="webhook", options=options)
    assert "expected 16 characters or more" in detail


@pytest.mark.parametrize("system", sorted(OPTIONS))
@pytest.mark.parametrize("kind", ["poll", "webhook", "folder"])
def test_a_transport_that_a_system_cannot_use_is_refused(
    write_site: WriteSite, system: str, kind: str
) -> None:
    usable = {
        "shopify": ["webhook"],
        "easypost": ["webhook"],
        "business_central": ["poll", "webhook"],  # only called: docs/connectors.md
    }
    end = "folder, inbox: in" if kind == "folder" else kind
    said = found(write_site, system=system, kind=end, options=OPTIONS[system])
    fits = kind in usable.get(system, ["folder"])
    assert [code for code, _ in said] == ["transport_unusable"] * (not fits)


@pytest.mark.parametrize(
    ("transport", "action", "codes"),
    [
        ("poll", "send", ["transport_unusable"]),
        ("folder, outbox: out", "whatever", ["action_unknown"]),
        ("folder, outbox: out", "send", []),
    ],
)
def test_what_leaves_a_file_sends_and_the_true_cause_is_told_once(
    write_site: WriteSite, transport: str, action: str, codes: list[str]
) -> None:
    route = f'routes: [{{entity: order, to: one, action: {action}, flow: "940"}}]\n'
    text = SITE.format(system="x12", kind=transport, options=OPTIONS["x12"]) + route
    assert [each.code for each in misfits(load(write_site(text)), known())] == codes


def test_a_kind_that_is_misspelt_is_told_in_plain_words(write_site: WriteSite) -> None:
    text = SITE.format(system="shopify", kind="webhok", options=OPTIONS["shopify"])
    _, (problem, *_) = read(write_site(text))
    assert "no such 'kind'; did you mean `webhook`?" in problem.detail
    assert "tag" not in problem.detail


@pytest.mark.parametrize("whose", ["our", "partner"])
def test_an_id_that_no_group_can_have_is_named(write_site: WriteSite, whose: str) -> None:
    options = OPTIONS["x12"].replace("US" if whose == "our" else "ACME", "U")
    ((_, detail),) = found(write_site, system="x12", kind="folder, inbox: in", options=options)
    assert f"{whose}_id: expected 2 to 15 characters" in detail
