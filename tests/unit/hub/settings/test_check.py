"""Whether the parts of a site fit together; every misfit with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from connectors.base import (
    Capabilities,
    Client,
    Codec,
    Connector,
    ConnectorConfig,
    Poller,
    Webhook,
)
from connectors.reach import Reach
from hub.cli.known import known
from hub.settings.check import check
from hub.settings.check_bindings import check_own_mappings
from hub.settings.check_parts import Known
from hub.settings.loader import load
from hub.settings.model import ControlPoints, Route
from hub.settings.places import SettingsError

WriteSite = Callable[[str], Path]


class Options(ConnectorConfig):
    base_url: str = "https://x.example"
    client_secret: SecretStr = Field(SecretStr(""), min_length=16)
    page_size: int = 10


class System:
    """A connector of which only the claims count here."""

    config: type[ConnectorConfig] = Options

    def __init__(self, name: str, capabilities: Capabilities) -> None:
        self.name = name
        self.capabilities = capabilities

    def codec(self, config: ConnectorConfig) -> Codec:
        raise AssertionError(config)

    def client(self, config: ConnectorConfig, reach: Reach) -> Client | None:
        raise AssertionError(config, reach)

    def poller(self, config: ConnectorConfig, reach: Reach) -> Poller | None:
        raise AssertionError(config, reach)

    def webhook(self, config: ConnectorConfig) -> Webhook | None:
        raise AssertionError(config)


def has_mapping(system: str, route: Route) -> bool:
    return (system, route.entity, route.flow) != ("business_central", "invoice", "salesOrder")


ERP = Capabilities(
    inbound=("items", "customers"), outbound=("salesOrder",), actions=("create_order",)
)
EDI = Capabilities(inbound=("850", "945"), outbound=("940", "997"))
CONNECTORS: dict[str, Connector] = {
    "business_central": System("business_central", ERP),
    "x12": System("x12", EDI),
}
POINTS = frozenset(ControlPoints(reference="bc").enabled)
KNOWN = Known(CONNECTORS, POINTS, has_mapping)

ROUTE = "  - {entity: order, to: bc, action: create_order, flow: salesOrder"
# What is written instead of what; where it is told; its code; words of its detail.
MISFITS = [
    # servers
    (
        "partners:",
        "servers:\n  redis_url: http://cache.example\npartners:",
        4,
        "value_invalid",
        "expected redis:// or rediss:// or unix://",
    ),
    # partners and control points
    ("    name: Contoso", "    name: C\n    currency: DEM", 7, "currency_unknown", "ISO 4217"),
    (
        "  reference: bc",
        "  reference: bx",
        2,
        "connection_unknown",
        "expected one of: acme-edi, bc",
    ),
    (
        "  reference: bc",
        "  reference: bc\n  enabled:\n  - complete\n  - item_known",
        5,
        "control_point_unknown",
        "did you mean `items_known`?",
    ),
    (
        "  reference: bc",
        "  reference: bc\n  enabled: [complete, complete]",
        3,
        "control_point_repeated",
        "enabled[1]",
    ),
    # connections
    ("    system: x12", "    system: x21", 9, "system_unknown", "did you mean `x12`?"),
    ("    partner: acme", "    partner: acne", 10, "partner_unknown", "did you mean `acme`?"),
    ("      inbox: in/acme\n", "", 8, "folder_missing", "inbox"),
    ("{kind: poll}", "{kind: poll, flows: [item]}", 17, "flow_unknown", "did you mean `items`?"),
    # the connector's own options
    ("      base_url:", "      bass_url:", 19, "option_unknown", "did you mean `base_url`?"),
    ("    options:", "    options:\n      page_size: many", 19, "value_invalid", "page_size"),
    # private networks
    ("${BC_URL:-https://bc.example}", "http://127.0.0.1:80/", 19, "address_private", "base_url"),
    ("${BC_URL:-https://bc.example}", "http://10.1.2.3/", 19, "address_private", "base_url"),
    ("${BC_URL:-https://bc.example}", "http://[::ffff:10.1.2.3]/", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://[fe80::1%25eth0]/", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://2130706433/", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://0x7f.1/", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://169.254.169.254/", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://192.0.0.192/", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://[64:ff9b::a9fe:a9fe]/", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://erp.internal./", 19, "address_private", ""),
    ("${BC_URL:-https://bc.example}", "http://LOCALHOST/", 19, "address_private", ""),
    # routes
    ("    to: bc", "    to: bb", 23, "connection_unknown", "expected one of: acme-edi, bc"),
    ("    action: create_order", "    action: post", 24, "action_unknown", "create_order"),
    ("    flow: salesOrder", "    flow: salesorder", 25, "flow_unknown", "`salesOrder`"),
    ("  - entity: order", "  - entity: invoice", 25, "mapping_missing", "from invoice"),
    (
        "routes:",
        "routes:\n  - {entity: shipment, to: acme-edi, action: send, flow: '940'}",
        22,
        "outbox_missing",
        "acme-edi",
    ),
    (
        "    flow: salesOrder\n",
        f"    flow: salesOrder\n{ROUTE}}}\n",
        26,
        "route_repeated",
        "earlier",
    ),
    (
        "routes:",
        f"routes:\n{ROUTE}, when: {{partner: acme}}}}",
        23,
        "route_repeated",
        "earlier",
    ),
    (
        "    flow: salesOrder",
        "    flow: salesOrder\n    when: {partner: acne}",
        26,
        "partner_unknown",
        "did you mean `acme`?",
    ),
    (
        "    flow: salesOrder",
        "    flow: salesOrder\n    when: {connection: acne-edi}",
        26,
        "connection_unknown",
        "did you mean `acme-edi`?",
    ),
    (
        "    flow: salesOrder",
        "    flow: salesOrder\n    when: {country: US}",
        26,
        "condition_unknown",
        "expected partner, connection or customer",
    ),
    (
        "    flow: salesOrder",
        "    flow: salesOrder\n    when: {customer: acne}",
        26,
        "partner_unknown",
        "did you mean `acme`?",
    ),
    (
        "    flow: salesOrder",
        "    flow: salesOrder\n    after: acme-edi",
        26,
        "after_unknown",
        "no route of order",
    ),
    (
        "    flow: salesOrder",
        "    flow: salesOrder\n    after: bc",
        26,
        "after_circular",
        "wait for itself",
    ),
]


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda misfit: misfit[1].strip())
def test_a_misfit_is_told_with_its_line(
    write_site: WriteSite, site_text: str, misfit: tuple[str, str, int, str, str]
) -> None:
    written, instead, line, code, words = misfit
    assert site_text.count(written) >= 1
    loaded = load(write_site(site_text.replace(written, instead, 1)))
    with pytest.raises(SettingsError) as refused:
        check(loaded, KNOWN)
    found = [(problem.code, problem.where) for problem in refused.value.problems]
    assert found == [(code, f"site.yaml:{line}")]
    assert words in refused.value.detail


def test_a_site_that_fits_passes(write_site: WriteSite, site_text: str) -> None:
    check(load(write_site(site_text)), KNOWN)


def test_private_addresses_can_be_allowed(write_site: WriteSite, site_text: str) -> None:
    text = site_text.replace("${BC_URL:-https://bc.example}", "http://127.0.0.1:8080/")
    check(load(write_site(text + "servers: {allow_private_networks: true}\n")), KNOWN)


@pytest.mark.parametrize("url", ["https://8.8.8.8/", "https://[2606:4700::1111]/", "https://a.b/"])
def test_a_public_address_passes(write_site: WriteSite, site_text: str, url: str) -> None:
    check(load(write_site(site_text.replace("${BC_URL:-https://bc.example}", url))), KNOWN)


def test_a_secret_that_is_set_here_is_checked_and_never_shown(
    write_site: WriteSite, site_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BC_SECRET", "hunter2")
    with pytest.raises(SettingsError) as refused:
        check(load(write_site(site_text)), KNOWN)
    assert (refused.value.code, refused.value.where) == ("value_invalid", "site.yaml:20")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("other", ["in/acme", "in/x/../acme", "in/acme/done", "in"])
def test_a_folder_belongs_to_one_exchange(
    write_site: WriteSite, site_text: str, other: str
) -> None:
    text = site_text.replace("{kind: poll}", f"{{kind: folder, outbox: {other}}}")
    with pytest.raises(SettingsError) as refused:
        check(load(write_site(text)), KNOWN)
    assert (refused.value.code, refused.value.where) == ("folder_shared", "site.yaml:17")


def test_routes_for_different_partners_do_not_meet(write_site: WriteSite, site_text: str) -> None:
    text = site_text.replace("routes:", f"routes:\n{ROUTE}, when: {{partner: acme}}}}")
    check(load(write_site(text + "    when: {partner: contoso}\n")), KNOWN)


def test_an_own_mapping_that_nothing_would_run_is_told(
    write_site: WriteSite, site_text: str, tmp_path: Path
) -> None:
    for name in ("shopfy/850.order", "x12/850.order"):
        path = tmp_path / "own" / f"{name}.jsonata"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    loaded = load(write_site(site_text + f"mappings: {tmp_path / 'own'}\n"))
    (found,) = check_own_mappings(loaded, known())
    assert found.code == "mapping_unknown"
    assert "shopfy/850.order.jsonata: no such system; did you mean `shopify`?" in found.detail


def test_all_misfits_are_told_at_once(write_site: WriteSite, site_text: str) -> None:
    text = site_text.replace("partner: acme\n", "partner: acne\n").replace("to: bc", "to: bb")
    with pytest.raises(SettingsError) as refused:
        check(load(write_site(text)), KNOWN)
    assert [problem.code for problem in refused.value.problems] == [
        "partner_unknown",
        "connection_unknown",
    ]
