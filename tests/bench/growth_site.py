"""The site whose ledger `tests.bench.rows` writes: forty EDI customers, one ERP, one warehouse."""

from __future__ import annotations

from typing import Any

from hub.settings.model import Site
from tests.bench.rows import PARTNERS


def growth_site() -> Site:
    """Return its configuration."""
    customers = {f"customer{n}": f"edi-{n}" for n in range(PARTNERS)}
    return Site.model_validate(
        {
            "partners": {
                **{name: {"name": name, "customer_number": f"C{n}"}
                   for n, name in enumerate(customers)},
                "contoso": {"name": "Contoso"},
                "lakeside3pl": {"name": "Lakeside"},
                "easypost": {"name": "EasyPost"},
            },
            "connections": {
                **{name: _x12(partner, partner.upper()) for partner, name in customers.items()},
                "lakeside": _x12("lakeside3pl", "LAKESIDE3PL"),
                "bc": _polled("business_central", "contoso"),
                "tracking": {
                    "system": "easypost", "partner": "easypost", "transport": {"kind": "webhook"},
                    "options": {"webhook_secrets": ["none-is-used-here"]},
                },
            },
            "control_points": {"reference": "bc"},
            "routes": [
                {"entity": "order", "to": "bc", "action": "create_order", "flow": "salesOrder"},
                {"entity": "order", "to": "lakeside", "action": "send", "flow": "940",
                 "after": "bc"},
                {"entity": "shipment", "to": "bc", "action": "post_shipment",
                 "flow": "salesShipment"},
                *({"entity": "invoice", "to": name, "action": "send", "flow": "810"}
                  for name in customers.values()),
            ],
            "reconcile": {
                "warehouses": {"lakeside": "MAIN"},
                "window_days": 30,  # 50,000 shipments came in it
            },
        }
    )  # fmt: skip


def _x12(partner: str, partner_id: str) -> dict[str, Any]:
    options = {"our_id": "CROSSDOCK", "partner_id": partner_id, "gap_after_hours": 24}
    return {
        "system": "x12", "partner": partner, "transport": {"kind": "folder"}, "options": options,
    }  # fmt: skip


def _polled(system: str, partner: str) -> dict[str, Any]:
    return {
        "system": system,
        "partner": partner,
        "transport": {"kind": "poll"},
        "options": {
            "base_url": "http://127.0.0.1:9/api/v2.0",
            "company_id": "e160007b-5faa-5628-bfda-1df6a9c51cd4",
            "token_url": "http://127.0.0.1:9/oauth2/v2.0/token",
            "client_id": "crossdock",
            "client_secret": "none-is-used-here",
        },
        "bindings": {"currency": "USD", "site": "MAIN"},
    }
