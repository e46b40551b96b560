"""A new partner's contract, to be filled in: a folder that is green from its first minute.

Codes of the `ConfigError` raised here: ``folder_exists``, ``value_invalid``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from canonical.errors import ConfigError
from hub.contracts.model import KEY_WORDS, is_key

_SHOWN = 80
_X12 = """\
# What {name} sends us and what we send {name}. Check it: crossdock contract verify {folder}
# The guide: docs/partners/README.md
contract: {key}-orders
version: "1.0"
owner: edi@{key}.example           # whom to ask
key: {key}
partner: {{name: {name}, customer_number: C10010, currency: USD}}
connection:                        # as in the site's configuration, without its transport
  system: x12
  options: {{our_id: CROSSDOCK, partner_qualifier: ZZ, partner_id: {identifier}}}
pending: true                      # may fail without stopping a release; false once you trade
relies_on:                         # fields that count; leave an entity out and all of them do
  order: [po_number, ordered_on, currency, buyer.customer_number, ship_to.address, lines]
examples:
  - name: a purchase order
    why: Two lines, one ship-to address.
    receive: order.edi
    expect: [order.json]
    answers: [order.997.edi]
  - name: an order whose line count is wrong
    receive: miscounted.edi
    refused: {{code: line_count_mismatch}}
"""

_ORDER = """\
ISA*00*          *00*          *ZZ*{padded}*ZZ*CROSSDOCK      *260102*0930*U*00401*000000001*0*P*>~
GS*PO*{identifier}*CROSSDOCK*20260102*0930*1*X*004010~
ST*850*0001~
BEG*00*SA*PO-1001**20260102~
DTM*002*20260109~
N1*ST*{name_upper} STORE 7*92*0007~
N3*12 HARBOUR STREET~
N4*PORTLAND*ME*04101*US~
PO1*1*5*EA*35.00**VN*1900-S*BP*70-1900~
PID*F****PARIS GUEST CHAIR~
PO1*2*2*EA*1000.80**VN*1896-S*BP*70-1896~
PID*F****ATHENS DESK~
CTT*{count}~
SE*{segments}*0001~
GE*1*1~
IEA*1*000000001~
"""


def new_partner(folder: Path, key: str, name: str) -> list[Path]:
    """Write the contract and its examples.

    Args:
        folder: where to; made if missing, and must be empty.
        key: our name of the partner, such as ``acme``.
        name: its name as people know it.

    Returns:
        The files written. `order.json` and `order.997.edi` are still to be made: by
        ``crossdock contract record``, which writes what the hub makes of the examples.

    Raises:
        ConfigError: ``folder_exists``, ``value_invalid``; nothing has been written.

    """
    if not is_key(key):
        raise ConfigError("value_invalid", key[:_SHOWN], KEY_WORDS)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError("folder_exists", str(folder), "expected an empty folder or none")
    identifier = "".join(c for c in key.upper() if c.isalnum())[:15]
    values = {
        "key": key,
        "name": name,
        "name_upper": "".join(c for c in name.upper() if c.isalnum() or c == " ")[:40],
        "identifier": identifier,
        "padded": identifier.ljust(15),
        "folder": str(folder),
    }
    files: Mapping[str, str] = {
        "contract.yaml": _X12.format(**values),
        "order.edi": _ORDER.format(**values, count=2, segments=12),
        "miscounted.edi": _ORDER.format(**values, count=3, segments=12),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in files]
