"""What came of a purchase: deliveries, letters, holds, findings, numbers; and all statements in their order."""

# ruff: noqa: S608  # our own words only

from __future__ import annotations

from tests.bench.rows_documents import DOCUMENTS, RECEIPTS
from tests.bench.rows_words import (
    ANSWERED,
    BILL_TIME,
    BILLED,
    DAY,
    DONE,
    NOW,
    READ,
    SENT,
    SHIPPED,
    TRACK_TIME,
    digest,
    uid,
)

_DELIVERY = (
    "INSERT INTO delivery (id, document_id, target, action, flow, business_key, version,"
    " after_target, state, attempts, reference, external_id, facts, next_at, sent_sha256, archive,"
    " code, place, created_at, settled_at) SELECT "
)
_ORDER_KEY = "'order/' || partner || '/' || number || '/'"
_MOVING = "since < interval '20 minutes'"
_AT_BC = (
    f"CASE WHEN fate = 'dead' THEN 'dead' WHEN {_MOVING} THEN CASE dice % 20 WHEN 0 THEN"
    " 'in_doubt' ELSE 'pending' END ELSE 'delivered' END"
)
_AT_3PL = f"CASE WHEN fate = 'dead' OR {_MOVING} THEN 'pending' ELSE 'delivered' END"


def _delivery(word: str, of: tuple[str, str, str], went: tuple[str, str, str], where: str) -> str:
    """One delivery of each purchase.

    Args:
        word: makes its id.
        of: the word of its document, when that came, and its business key.
        went: target, action and flow; state; reference and what follows another target.
        where: of which purchases.
    """
    document, after, key = of
    to, state, rest = went
    reference, follows, facts = rest.split("; ")
    known = f"CASE WHEN ({state}) = 'delivered' THEN {{}} END"
    waits = f"CASE WHEN ({state}) IN ('pending', 'in_doubt') THEN {{}} END"
    return (
        f"{_DELIVERY}{uid(word)}, {uid(document)}, {to}, {key}, 1, {follows}, {state}, 1,"
        f" {reference}, {known.format(uid('x-' + word))}, {facts},"
        f" {waits.format('$1 + interval ' + repr('1 hour'))}, {digest('b-' + word)},"
        f" '2026-' || n % 365 || '.zst:' || n || ':300',"
        f" CASE WHEN ({state}) = 'dead' THEN 'customer_unknown' WHEN ({state}) = 'pending' AND"
        f" {follows} IS NOT NULL THEN 'waiting_for_target' END, CASE WHEN ({state}) = 'pending'"
        f" THEN {follows} END, at + {after}, {known.format(f'at + {after} + ' + _SECOND)}"
        f" FROM purchase WHERE {where} AND at + {after} <= $1"
    )


_SECOND = "interval '2 seconds'"
_FILE = "jsonb_build_object('file', '997-' || n || '.x12')"
_ACKED = "'acknowledgement/' || {} || '/' || {} || '/0'"
_DELIVERIES = (
    _delivery(
        "create", ("order", NOW, _ORDER_KEY),
        ("'bc', 'create_order', 'salesOrder'", _AT_BC,
         "ref; NULL; jsonb_build_object('number', 'S-ORD' || n)"),
        "fate NOT IN ('held', 'bad', 'given up')",
    ),
    _delivery(
        "940", ("order", NOW, _ORDER_KEY),
        ("'lakeside', 'send', '940'", _AT_3PL, f"ref; 'bc'; {_FILE}"),
        "fate NOT IN ('held', 'bad', 'given up')",
    ),
    _delivery(
        "997-order", ("ack-order", NOW, _ACKED.format("partner", uid("r-order"))),
        ("edi, 'send', '997'", DONE, f"{uid('ack-order')}; NULL; {_FILE}"), READ,
    ),
    _delivery(
        "post", ("shipment", DAY, "'shipment/lakeside3pl/LS' || n || '/'"),
        ("'bc', 'post_shipment', 'salesShipment'", DONE,
         "ref; NULL; jsonb_build_object('order', 'S-ORD' || n)"), SHIPPED,
    ),
    _delivery(
        "997-shipment", ("ack-shipment", DAY, _ACKED.format("'lakeside3pl'", uid("r-shipment"))),
        ("'lakeside', 'send', '997'", DONE, f"{uid('ack-shipment')}; NULL; {_FILE}"), SHIPPED,
    ),
    _delivery(
        "810", ("invoice", BILL_TIME, "'invoice/contoso/INV' || n || '/'"),
        ("edi, 'send', '810'", DONE, f"ref; NULL; {_FILE}"), BILLED,
    ),
)  # fmt: skip
_ATTEMPTS = tuple(
    "INSERT INTO attempt (delivery_id, n, outcome, code, started_at, ended_at)"
    f" SELECT {uid(word)}, 1, {outcome}, {code}, at + {after}, at + {after} + {_SECOND}"
    f" FROM purchase WHERE {where} AND at + {after} <= $1"
    for word, outcome, code, after, where in (
        ("create", "CASE WHEN fate = 'dead' THEN 'dead' ELSE 'delivered' END",
         "CASE WHEN fate = 'dead' THEN 'customer_unknown' END", NOW,
         f"fate = 'dead' OR {SENT}"),
        ("940", DONE, "NULL", NOW, SENT),
        ("997-order", DONE, "NULL", NOW, READ),
        ("post", DONE, "NULL", DAY, SHIPPED),
        ("997-shipment", DONE, "NULL", DAY, SHIPPED),
        ("810", DONE, "NULL", BILL_TIME, BILLED),
    )
)  # fmt: skip


def _head(key: str, word: str, version: str, after: str, where: str) -> str:
    return (
        "INSERT INTO key_head (business_key, version, sequence, content_id, document_id,"
        f" updated_at) SELECT {key}, {version}, 0, {digest('c-' + word)}, {uid(word)}, at + {after}"
        f" FROM purchase WHERE {where} AND at + {after} <= $1"
    )


_HEADS = (
    _head(_ORDER_KEY, "order", "CASE fate WHEN 'changed' THEN 2 ELSE 1 END", NOW, READ),
    _head("'shipment/lakeside3pl/LS' || n || '/'", "shipment", "1", DAY, SHIPPED),
    _head("'invoice/contoso/INV' || n || '/'", "invoice", "1", BILL_TIME, BILLED),
    _head(
        "'tracking/easypost/1Z' || lpad(n::text, 16, '0') || '/'", "label", "2", TRACK_TIME,
        BILLED,
    ),
)  # fmt: skip
_LETTERS = """
INSERT INTO dead_letter (id, stage, connection, partner, entity, flow, target, receipt_id,
    document_id, delivery_id, business_key, code, place, detail, said, fingerprint, mapping_version,
    amount, currency, state, actor, reason, opened_at, closed_at)
SELECT {letter}, CASE WHEN read THEN 'deliver' ELSE 'decode' END, edi, partner,
    CASE WHEN read THEN 'order' END, CASE WHEN read THEN 'salesOrder' ELSE '' END,
    CASE WHEN read THEN 'bc' END, {receipt}, CASE WHEN read THEN {order} ELSE {unread} END,
    CASE WHEN read THEN {create} END, CASE WHEN read THEN {key} END,
    CASE WHEN read THEN (ARRAY['customer_unknown', 'item_unknown', 'refused', 'price_differs'])
        [1 + dice % 4] ELSE 'interchange_truncated' END,
    CASE WHEN read THEN 'lines[' || dice % 5 || ']' ELSE 'IEA' END, 'HTTP 400', 'HTTP 400: no',
    substr(md5('mark' || dice % 30), 1, 16), 'e75ce224182a',
    CASE WHEN read THEN 2 * many * price END, CASE WHEN read THEN 'USD' END,
    CASE WHEN fate IN ('dead', 'bad') THEN 'open' WHEN fate = 'died' THEN 'replayed'
        ELSE 'archived' END,
    CASE WHEN fate IN ('died', 'given up') THEN 'ada' END,
    CASE WHEN fate IN ('died', 'given up') THEN 'mended' END, at + interval '3 seconds',
    CASE WHEN fate IN ('died', 'given up') THEN at + interval '5 hours' END
FROM (SELECT *, fate IN ('dead', 'died') AS read FROM purchase) AS purchase
WHERE fate IN ('dead', 'died', 'bad', 'given up') AND at + interval '3 seconds' <= $1
""".format(
    letter=uid("letter"), receipt=uid("r-order"), order=uid("order"), unread=uid("unread"),
    create=uid("create"), key=_ORDER_KEY,
)  # fmt: skip
_HOLDS = """
INSERT INTO hold (id, document_id, business_key, kind, reasons, state, resolution, actor, reason,
    opened_at, closed_at)
SELECT {hold}, {order}, {key}, CASE WHEN dice % 5 = 0 THEN 'orphan' ELSE 'control_point' END,
    '[{{"control_point": "price_in_tolerance", "code": "price_out_of_tolerance",
        "where": "lines[0].unit_price", "detail": "differs from the price list too much"}}]',
    CASE fate WHEN 'held' THEN 'open' ELSE 'released' END,
    CASE fate WHEN 'released' THEN 'as_is' END, CASE fate WHEN 'released' THEN 'ada' END,
    CASE fate WHEN 'released' THEN 'agreed' END, at,
    CASE fate WHEN 'released' THEN at + interval '3 hours' END
FROM purchase WHERE fate IN ('held', 'released') AND at <= $1
""".format(hold=uid("hold"), order=uid("order"), key=_ORDER_KEY)
_FINDINGS = """
INSERT INTO finding (id, job, subject, reference, partner, owner, state, cause, remedy, amount,
    currency, details, redrives, since, opened_at, last_seen_at, closed_at)
SELECT {finding}, job, {key}, ref, partner, CASE job WHEN 'price-drift' THEN 'sales' ELSE 'billing'
    END, CASE WHEN young THEN 'open' ELSE 'closed' END, 'posted as shipped, no invoice covers it',
    'post the invoice again at the ERP', many * price, 'USD', '{{"SKU-1": "2"}}', 0, at, at,
    least($1, at + interval '30 days'), CASE WHEN young THEN NULL ELSE at + interval '9 days' END
FROM (SELECT *, since < interval '30 days' AS young, (ARRAY['ship-not-invoiced', 'price-drift',
    'quantity-drift', 'not-shipped'])[1 + dice % 4] AS job FROM purchase) AS purchase
WHERE fate IN ('unbilled', 'dead', 'died') AND at <= $1
""".format(finding=uid("finding"), key=_ORDER_KEY)
_TO_3PL, _TO_EDI = "'ZZ:CROSSDOCK/ZZ:LAKESIDE3PL/P'", "'ZZ:CROSSDOCK/ZZ:CUSTOMER' || p || '/P'"
# Numbers are pruned sooner than documents.
_YOUNG = "since < interval '180 days'"
_NUMBERS = tuple(
    "INSERT INTO control_number (scope, key, target, number, at) SELECT"
    f" {scope}, {reference} || '/send/1', {target}, 2 * n + {more}, at + {after} FROM purchase"
    f" WHERE {_YOUNG} AND {where} AND at + {after} <= $1"
    for scope, target, reference, more, after, where in (
        (_TO_3PL, "'lakeside'", "ref", 0, NOW, SENT),
        (_TO_EDI, "edi", uid("ack-order"), 0, NOW, READ),
        (_TO_3PL, "'lakeside'", uid("ack-shipment"), 1, DAY, SHIPPED),
        (_TO_EDI, "edi", "ref", 1, BILL_TIME, BILLED),
    )
)
_CONFIRMATIONS = tuple(
    "INSERT INTO confirmation (id, connection, number, flow, state, reasons, document_id,"
    f" delivery_id, at) SELECT {uid('said-' + word)}, {connection}, 2 * n + {more}, '997', {said},"
    f" '[]', {uid('answer')}, {uid(word)}, at + {after} FROM purchase"
    f" WHERE {where} AND at + {after} <= $1"
    for word, connection, more, said, after, where in (
        ("940", "'lakeside'", 0, "'accepted'", ANSWERED, SENT),
        ("810", "edi", 1, "CASE dice % 250 WHEN 100 THEN 'rejected' ELSE 'accepted' END",
         "interval '27 hours'", f"{BILLED} AND dice <> 600"),
    )
)  # fmt: skip
_AUDIT = """
INSERT INTO audit (seq, at, actor, action, subject, reason, before, after, previous_hash, hash)
SELECT n, at + interval '5 hours', 'ada', 'dead_letter.replay', {letter}, 'mended', NULL,
    '{{"state": "replaying"}}', {hash}, {hash} FROM purchase
WHERE fate IN ('died', 'released') AND at + interval '5 hours' <= $1
""".format(letter=uid("letter"), hash=digest("h-"))

_ALL = (
    *RECEIPTS, *DOCUMENTS, *_DELIVERIES, *_ATTEMPTS, *_HEADS, _LETTERS, _HOLDS, _FINDINGS,
    *_NUMBERS, *_CONFIRMATIONS, _AUDIT,
)  # fmt: skip
TABLES = tuple(statement.replace("$1", "$1::timestamptz") for statement in _ALL)
"""What each batch of purchases is written by; $1 is the moment."""

RECONCILED = """
INSERT INTO reconcile_run (job, started_at, seconds, since, sweep, looked_at, unchecked, found,
    opened, healing, closed)
SELECT job, $1::timestamptz - n * interval '5 minutes', 1,
    $1::timestamptz - n * interval '5 minutes', n % 288 = 0, 100, 0, 0, 0, 0, 0
FROM generate_series(1, $2::int) AS n CROSS JOIN unnest(ARRAY['ship-not-invoiced',
    'invoiced-not-shipped', 'quantity-drift', 'price-drift', 'three-way-match',
    'acknowledgement-overdue', 'change-without-order', 'interchange-gap', 'inventory-variance',
    'duplicate-effects', 'ledger-vs-target', 'double-entry']) AS job
"""
"""What is written of finished runs; $2 is how many of each job."""

ONCE = (
    """
    INSERT INTO reference (connection, entity, number, sequence, content_id, canonical, seen_at)
    SELECT 'bc', 'item', 'SKU-' || n, 0, md5(n::text), jsonb_build_object('number', 'SKU-' || n,
        'base_unit', 'EA', 'list_price', jsonb_build_object('amount', '10',
        'currency', 'USD')), $1::timestamptz - $2::int * interval '1 hour'
    FROM generate_series(0, 1999) AS n
    """,
    """
    INSERT INTO reference (connection, entity, number, sequence, content_id, canonical, seen_at)
    SELECT c, 'inventory', 'SKU-' || n || '@MAIN', 0, md5(c || n), jsonb_build_object('on_hand',
        jsonb_build_object('value', CASE WHEN c = 'bc' AND n % 100 = 0 THEN '7' ELSE '70' END,
        'unit', 'EA')), $1::timestamptz - $2::int * interval '1 hour'
    FROM generate_series(0, 1999) AS n CROSS JOIN (VALUES ('bc'), ('lakeside')) AS w(c)
    """,
)
"""What is written once; $1 is the moment, $2 the number of customers."""

# Each sender counts without a gap, which no batch of purchases can know.
INTERCHANGES = """
INSERT INTO interchange (scope, reference, number, connection, sha256, receipt_id, received_at)
SELECT 'ZZ:CROSSDOCK/ZZ:' || upper(partner) || '/P', number::text, number, connection, sha256, id,
    received_at
FROM (SELECT *, row_number() OVER (PARTITION BY connection ORDER BY received_at, id) AS number
    FROM receipt WHERE content_type = 'application/edi-x12' AND connection NOT IN ('bc', 'tracking')
        AND received_at > $1::timestamptz - interval '180 days') AS r
"""
LAST = (
    INTERCHANGES,
    """
    INSERT INTO statement (target, action, since, until, loaded_at, actor)
    VALUES ('bc', 'create_order', $1::timestamptz - interval '30 days',
        $1::timestamptz - interval '1 day', $1::timestamptz, 'ada')
    """,
    """
    INSERT INTO statement_entry (target, action, external_id, reference, amount, currency)
    SELECT 'bc', 'create_order', d.external_id, d.reference, NULL, NULL FROM delivery AS d
    WHERE d.action = 'create_order' AND d.state = 'delivered' AND d.settled_at
        BETWEEN $1::timestamptz - interval '30 days' AND $1::timestamptz - interval '1 day'
    """,
    """
    INSERT INTO replay_job (id, state, filters, actor, reason, per_second, canary, total, money,
        targets, requested_at, next_at, ended_at)
    SELECT md5('job' || n)::uuid::text, 'done', '{"target": "bc"}', 'ada', 'mended', 20, 0, 500,
        '{"USD": "1000"}', '["bc"]', t, t, t
    FROM generate_series(1, 100) AS n
    CROSS JOIN LATERAL (SELECT $1::timestamptz - n * interval '1 day' AS t) AS at
    """,
    """
    INSERT INTO replay_item (job_id, seq, letter_id, lane, target, state, outcome, begun_at,
        ended_at)
    SELECT md5('job' || 1 + n % 100)::uuid::text, 1 + n / 100, id, id, 'bc', 'ended', 'replayed',
        closed_at, least(closed_at, $1::timestamptz)
    FROM (SELECT *, row_number() OVER (ORDER BY id) - 1 AS n FROM dead_letter
        WHERE state = 'replayed') AS l WHERE n < 50000
    """,
)
"""What is written last, of the rows that are there; $1 is the moment."""
