"""What the statements of `tests.bench.rows` have in common.

Ids, hashes and choices are functions of the purchase's number, so that the same shape is the same
ledger on every machine.
"""

from __future__ import annotations

PURCHASES = """
CREATE TEMPORARY TABLE purchase (n bigint, at timestamptz, dice int, p int, partner text,
    edi text, number text, ref text, sku text, other text, many int, price numeric,
    fate text, since interval)
"""

# Of a thousand purchases: 40 died once, 30 were held once, 2 could not be read, 10 were changed.
# What is young enough still waits for somebody.
FACTS = """
INSERT INTO purchase
SELECT n, at, dice, p, 'customer' || p, 'edi-' || p, 'PO-' || lpad(n::text, 9, '0'),
    'XD' || upper(translate(substr(md5('ref' || n), 1, 10), '0123456789', 'GHIJKLMNOP')),
    'SKU-' || n % 2000, 'SKU-' || (n * 7 + 1) % 2000, 1 + dice % 9, 10,
    CASE WHEN dice < 40 THEN CASE WHEN since < interval '180 days' THEN 'dead' ELSE 'died' END
        WHEN dice < 70 THEN CASE WHEN since < interval '30 days' THEN 'held' ELSE 'released' END
        WHEN dice < 72 THEN CASE WHEN since < interval '30 days' THEN 'bad' ELSE 'given up' END
        WHEN dice < 82 THEN 'changed' WHEN dice < 92 THEN 'unbilled' ELSE 'well' END,
    since
FROM (SELECT n, $4::timestamptz - t AS at, t AS since,
        ('x' || substr(md5('dice' || n), 1, 7))::bit(28)::int % 1000 AS dice,
        floor($6::int * power(('x' || substr(md5('who' || n), 1, 7))::bit(28)::int / 268435456.0,
            2.5))::int AS p
    FROM generate_series($1::bigint, $2::bigint) AS n CROSS JOIN LATERAL (
        SELECT $5::int * interval '1 day' * (($3::bigint - n) / $3::float8) AS t) AS w) AS f
"""


def uid(word: str) -> str:
    return f"md5('{word}' || n)::uuid::text"


def digest(word: str) -> str:
    return f"encode(sha256(('{word}' || n)::bytea), 'hex')"


GOES_ON = "fate NOT IN ('dead', 'held', 'bad', 'given up')"
READ = "fate NOT IN ('bad', 'given up')"
SHIPPED = f"{GOES_ON} AND since > interval '1 day'"
BILLED = (
    f"{GOES_ON} AND since > interval '26 hours' AND NOT (fate = 'unbilled' AND since < '30 days')"
)
TRACKED = f"{GOES_ON} AND since > interval '4 days'"
SENT = f"{GOES_ON} AND since > interval '20 minutes'"

NOW, DAY = "interval '0'", "interval '1 day'"
NO_MONEY = "NULL, NULL"
BILL_TIME, TRACK_TIME = "interval '26 hours'", "interval '28 hours'"
ARRIVED, ANSWERED = "interval '4 days'", "interval '10 minutes'"
DONE = "'delivered'"
