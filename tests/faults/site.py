"""The site of a campaign: the demo's, with partners whose orders are cheap to deliver, or free.

==========  ===========================  ==================================================
who         sends                        what takes effect
==========  ===========================  ==================================================
acme        850 and 860, by file         sales orders in the emulated ERP, created and changed
dockbuyer   850, by file                 940s in the folder of the emulated dock
bulk        850, many in a file          events on CANONICAL
shop        orders, by webhook           events on CANONICAL
==========  ===========================  ==================================================
"""

from __future__ import annotations

from typing import Any

ISA_IDS = {"acme-edi": "ACMEDIST", "dockbuyer-edi": "DOCKBUYER", "bulk-edi": "BULKDIST"}
FOLDERS = (*ISA_IDS, "dock")
_BREAKER = {"per_second": 500, "breaker_seconds": 0.5}


def campaign_site(site: dict[str, Any]) -> None:
    """Change the demo's site in place."""
    site["retry"] = {"delays_seconds": [0.2, 0.5, *[1] * 120], "budget": 1}
    # Under so many deaths a worker may be starved for a while; a deadline is not what is tested.
    site["workers"] = {"processes": 1, "deadline_seconds": 120}
    site["reconcile"]["every_seconds"] = 3600
    partners, connections = site["partners"], site["connections"]
    for name in ("northside-edi", "lakeside"):
        del connections[name]
    for name in ("bulk", "dockbuyer"):
        partners[name] = {"name": name, "customer_number": "C10020"}
    partners["dockside"] = {"name": "Dockside"}
    for name, isa_id in ISA_IDS.items():
        connections[name] = _folder(name, name.removesuffix("-edi"), isa_id)
    connections["dock"] = _folder("dock", "dockside", "DOCKSIDE")
    connections["bc"]["transport"]["every_seconds"] = 15
    connections["bc"]["limits"] |= {"concurrency": 8, "timeout_seconds": 5, "breaker_seconds": 0.5}
    site["control_points"]["enabled"] = ["complete", "customer_known", "items_known", "unit_valid"]
    acme, dockbuyer = {"connection": "acme-edi"}, {"connection": "dockbuyer-edi"}
    site["routes"] = [
        _route("order", "bc", "create_order", "salesOrder") | {"when": dict(acme)},
        _route("order_change", "bc", "change_order", "salesOrderChange") | {"when": dict(acme)},
        _route("order", "dock", "send", "940") | {"when": dict(dockbuyer)},
    ]


def _route(entity: str, to: str, action: str, flow: str) -> dict[str, Any]:
    return {"entity": entity, "to": to, "action": action, "flow": flow}


def _folder(name: str, partner: str, isa_id: str) -> dict[str, Any]:
    place = "{data_dir}/folders/" + name
    return {
        "system": "x12",
        "partner": partner,
        "transport": {
            "kind": "folder",
            "inbox": f"{place}/in",
            "outbox": f"{place}/out",
            "stable_seconds": 0.2,
        },
        "options": {"our_id": "CROSSDOCK", "partner_qualifier": "ZZ", "partner_id": isa_id},
        "limits": dict(_BREAKER),
    }
