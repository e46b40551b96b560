"""The bench's site: one EDI customer, one ERP, one warehouse, all control points, two routes."""

from __future__ import annotations

from hub.settings.model import Site

REFERENCE = "bc"


def site(processes: int) -> Site:
    """Return the configuration of a hub with so many worker processes."""
    return Site.model_validate(
        {
            "workers": {"processes": processes},
            "partners": {
                "acme": {"name": "Acme Distributors", "customer_number": "C10010"},
                "contoso": {"name": "Contoso Distribution"},
                "lakeside3pl": {"name": "Lakeside Warehousing"},
            },
            "connections": {
                "acme-edi": _x12("acme", "ACMEDIST"),
                "lakeside": _x12("lakeside3pl", "LAKESIDE3PL"),
                "bc": {
                    "system": "business_central",
                    "partner": "contoso",
                    "transport": {"kind": "poll"},
                    "options": {
                        "base_url": "http://127.0.0.1:9/api/v2.0",
                        "company_id": "e160007b-5faa-5628-bfda-1df6a9c51cd4",
                        "token_url": "http://127.0.0.1:9/oauth2/v2.0/token",
                        "client_id": "crossdock",
                        "client_secret": "env:CROSSDOCK_BENCH_SECRET",
                    },
                    "bindings": {"currency": "USD", "site": "MAIN"},
                },
            },
            "control_points": {"reference": REFERENCE, "ship_methods": {"UPSN": "GROUND"}},
            "routes": [
                {"entity": "order", "to": "bc", "action": "create_order", "flow": "salesOrder"},
                {
                    "entity": "order",
                    "to": "lakeside",
                    "action": "send",
                    "flow": "940",
                    "after": "bc",
                },
            ],
        }
    )


def _x12(partner: str, partner_id: str) -> dict[str, object]:
    return {
        "system": "x12",
        "partner": partner,
        "transport": {"kind": "folder"},
        "options": {"our_id": "CROSSDOCK", "partner_id": partner_id},
    }
