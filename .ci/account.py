"""Checks the demo's account: ``account.py FILE`` with the output of ``crossdock demo -o json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COUNTED = ("received", "delivered", "held", "dead", "duplicates", "rejected")


def faults(account: dict[str, Any]) -> list[str]:
    """What does not add up, in plain words."""
    found = [
        f"{name} is missing" for name in (*COUNTED, "lost", "double_effects") if name not in account
    ]
    if found:
        return found
    received, *outcomes = (account[name] for name in COUNTED)
    if received != sum(outcomes):
        found.append(f"received {received}, accounted for {sum(outcomes)}")
    if received == 0 or account["delivered"] == 0:
        found.append("nothing was delivered")
    found += [f"{n} is {account[n]}" for n in ("lost", "double_effects") if account[n] != 0]
    healed = account.get("ship_not_invoiced", {})
    if not healed.get("found") or healed["found"] != healed.get("healed"):
        found.append("a shipment that was never invoiced was not found and healed")
    return found


def main(path: str) -> int:
    """Print the account in one line; 1 where it does not add up."""
    account = json.loads(Path(path).read_text(encoding="utf-8"))
    wrong = faults(account)
    print(
        "account:",
        ", ".join(f"{name} {account.get(name)}" for name in (*COUNTED, "lost", "double_effects")),
    )
    for fault in wrong:
        print("account:", fault, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
