"""What a purchase's receipts and documents are written by."""

from __future__ import annotations

from tests.bench.rows_words import (
    ANSWERED,
    ARRIVED,
    BILL_TIME,
    BILLED,
    DAY,
    DONE,
    NO_MONEY,
    NOW,
    READ,
    SENT,
    SHIPPED,
    TRACK_TIME,
    TRACKED,
    digest,
    uid,
)

_RECEIPT = (
    "INSERT INTO receipt (id, connection, partner, delivery_id, sha256, size, content_type, flow,"
    " facts, archive, received_at, decided_at, redeliveries) SELECT "
)


def _receipt(word: str, came: tuple[str, str], after: str, where: str) -> str:
    connection, partner = came
    return (
        f"{_RECEIPT}{uid('r-' + word)}, {connection}, {partner}, '{word}-' || n || '.x12',"
        f" {digest('s-' + word)}, 1655, 'application/edi-x12', '', jsonb_build_object('file',"
        f" '{word}-' || n || '.x12'), '2026-' || n % 365 || '.zst:' || n || ':700',"
        f" at + {after}, at + {after}, (dice = 500)::int FROM purchase"
        f" WHERE {where} AND at + {after} <= $1"
    )


_DOCUMENT = (
    "INSERT INTO document (id, direction, receipt_id, place_in_receipt, connection, partner,"
    " entity, flow, business_key, content_id, version, sequence, purpose, verdict, state, number,"
    " po_key, reference, amount, currency, canonical, mapping_version, code, place, created_at,"
    " settled_at) SELECT "
)
_ITEM = "jsonb_build_object('seller_sku', {})"
_EACH = "jsonb_build_object('value', {}::text, 'unit', 'EA')"


def _line(number: int, sku: str, *more: str) -> str:
    facts = ", ".join([f"'number', '{number}', 'item', {_ITEM.format(sku)}", *more])
    return f"jsonb_build_object({facts})"


def _lines(quantity: str, *more: str) -> str:
    said = f"'{quantity}', " + _EACH.format("many")
    return f"jsonb_build_array({_line(1, 'sku', said, *more)}, {_line(2, 'other', said, *more)})"


_PRICE = "'unit_price', jsonb_build_object('amount', price::text, 'currency', 'USD')"
_ORDER = (
    f"jsonb_build_object('po_number', number, 'currency', 'USD', 'buyer', jsonb_build_object("
    f"'customer_number', 'C' || p), 'requested_ship_on', to_char(at + interval '3 days',"
    f" 'YYYY-MM-DD'), 'lines', {_lines('quantity', _PRICE)})"
)
_CHANGE = "jsonb_build_object('po_number', number, 'kind', 'change', 'lines', jsonb_build_array())"
_SHIPMENT = (
    "jsonb_build_object('number', 'LS' || n, 'packages', jsonb_build_array(jsonb_build_object("
    "'id', '1', 'sscc', '0061414' || lpad(n::text, 11, '0'), 'tracking_number', '1Z' ||"
    f" lpad(n::text, 16, '0'))), 'lines', {_lines('shipped')})"
)
_INVOICE = f"jsonb_build_object('number', 'INV' || n, 'lines', {_lines('quantity', _PRICE)})"
_TRACKING = "jsonb_build_object('tracking_number', '1Z' || lpad(n::text, 16, '0'), 'status', {})"
_STATE = (
    "CASE WHEN fate = 'dead' THEN 'dead' WHEN fate = 'held' THEN 'held' WHEN fate = 'bad' THEN"
    " 'dead' WHEN fate = 'given up' THEN 'rejected' WHEN since < interval '20 minutes' THEN"
    " 'accepted' ELSE 'delivered' END"
)
_WORTH = "2 * many * price, 'USD'"
_NO_ERROR = "NULL, NULL"


def _document(word: str, who: str, what: str, said: str, came: tuple[str, str]) -> str:
    """One document of each purchase.

    Args:
        word: makes its id and that of its receipt.
        who: receipt, connection, partner, entity and flow, as SQL.
        what: business key, version, purpose, verdict, state, number, purchase key, reference.
        said: amount, currency, canonical form, code and place.
        came: when, after the order; of which purchases.
    """
    after, where = came
    direction = "out" if word.startswith("ack") else "in"
    receipt, rest = who.split(", ", 1)
    key, version, purpose, verdict, state, number, po_key, reference = what.split("; ")
    amount, canonical, error = said.split("; ")
    return (
        f"{_DOCUMENT}{uid(word)}, '{direction}', {uid('r-' + receipt)}, 'ISA ' || n, {rest},"
        f" {key}, {digest('c-' + word)}, {version}, 0, {purpose}, {verdict}, {state}, {number},"
        f" {po_key}, {reference}, {amount}, {canonical}, 'e75ce224182a', {error},"
        f" at + {after}, at + {after} + interval '2 seconds' FROM purchase"
        f" WHERE {where} AND at + {after} <= $1"
    )


_LAKESIDE = "'lakeside', 'lakeside3pl'"
_OURS = f"'order/' || partner || '/' || number || '/'; 1; 'original'; 'accept'; {_STATE}; number; 'C' || p || '|' || number; ref"
_ACK_KEY = "'acknowledgement/' || {} || '/' || {} || '/0'; NULL; 'original'; 'accept'; 'delivered'; NULL; NULL; {}"
DOCUMENTS = (
    _document(
        "order", "order, edi, partner, 'order', '850'", _OURS,
        f"{_WORTH}; {_ORDER}; CASE fate WHEN 'dead' THEN 'customer_unknown' END, NULL", (NOW, READ),
    ),
    _document(
        "unread", "order, edi, partner, 'unknown', '850'",
        "'unknown/' || n; NULL; 'original'; 'refused'; " + _STATE + "; NULL; NULL; NULL",
        f"{NO_MONEY}; NULL; 'interchange_truncated', 'IEA'", (NOW, "fate IN ('bad', 'given up')"),
    ),
    _document(
        "ack-order", "order, edi, partner, 'acknowledgement', '997'",
        _ACK_KEY.format("partner", uid("r-order"), uid("ack-order")),
        f"{NO_MONEY}; NULL; {_NO_ERROR}", (NOW, READ),
    ),
    _document(
        "change", "order, edi, partner, 'order_change', '860'",
        "'order/' || partner || '/' || number || '/'; 2; 'change'; 'change'; 'delivered'; number; 'C' || p || '|' || number; ref",
        f"{NO_MONEY}; {_CHANGE}; {_NO_ERROR}", ("interval '2 hours'", "fate = 'changed'"),
    ),
    _document(
        "answer", f"answer, {_LAKESIDE}, 'acknowledgement', '997'",
        _ACK_KEY.format("'lakeside3pl'", uid("r-answer"), uid("answer")),
        f"{NO_MONEY}; NULL; {_NO_ERROR}", (ANSWERED, SENT),
    ),
    _document(
        "shipment", f"shipment, {_LAKESIDE}, 'shipment', '945'",
        f"'shipment/lakeside3pl/LS' || n || '/'; 1; 'original'; 'accept'; {DONE}; 'LS' || n; NULL; ref",
        f"{NO_MONEY}; {_SHIPMENT}; {_NO_ERROR}", (DAY, SHIPPED),
    ),
    _document(
        "ack-shipment", f"shipment, {_LAKESIDE}, 'acknowledgement', '997'",
        _ACK_KEY.format("'lakeside3pl'", uid("r-shipment"), uid("ack-shipment")),
        f"{NO_MONEY}; NULL; {_NO_ERROR}", (DAY, SHIPPED),
    ),
    _document(
        "invoice", "invoice, 'bc', 'contoso', 'invoice', 'salesInvoices'",
        f"'invoice/contoso/INV' || n || '/'; 1; 'original'; 'accept'; {DONE}; 'INV' || n; NULL; ref",
        f"{_WORTH}; {_INVOICE}; {_NO_ERROR}", (BILL_TIME, BILLED),
    ),
    *(
        _document(
            word, f"{word}, 'tracking', 'easypost', 'tracking', 'tracker.updated'",
            f"'tracking/easypost/1Z' || lpad(n::text, 16, '0') || '/'; {version}; 'state'; 'accept'; {DONE}; '1Z' || lpad(n::text, 16, '0'); NULL; 'XT' || n",
            f"{NO_MONEY}; " + _TRACKING.format(f"'{status}'") + f"; {_NO_ERROR}", (after, where),
        )
        for word, version, status, after, where in (
            ("label", 1, "pre_transit", TRACK_TIME, BILLED),
            ("there", 2, "delivered", ARRIVED, TRACKED),
        )
    ),
)  # fmt: skip
RECEIPTS = (
    _receipt("order", ("edi", "partner"), NOW, "true"),
    _receipt("answer", ("'lakeside'", "'lakeside3pl'"), ANSWERED, SENT),
    _receipt("shipment", ("'lakeside'", "'lakeside3pl'"), DAY, SHIPPED),
    _receipt("invoice", ("'bc'", "'contoso'"), BILL_TIME, BILLED),
    _receipt("label", ("'tracking'", "'easypost'"), TRACK_TIME, BILLED),
    _receipt("there", ("'tracking'", "'easypost'"), ARRIVED, TRACKED),
)
