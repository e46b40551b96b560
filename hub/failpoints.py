"""Failpoints: named places where a test lets the process die as if by power loss.

Armed by the environment: ``CROSSDOCK_FAILPOINT=name`` kills at the first passing of `name`,
``name:3`` at the third; several, separated by commas. The variable is read once, at import;
unarmed, a failpoint costs one truth test. The process kills itself with SIGKILL: no handler, no
``finally``, no flush runs.

The places, in the order in which a document meets them:

===========================  =========================================================
``intake.read``              a receipt is read and checked, nothing is stored
``intake.body_stored``       the bucket has a large body, no receipt of it is stored
``intake.stored``            NATS has the receipt, the sender has no answer yet
``poll.stored``              a polled page is stored, the cursor has not moved
``normalize.read``           a batch is archived and read, nothing is in the ledger
``normalize.suspected``      a receipt under suspicion is noted, and not decided yet
``normalize.before_commit``  a batch is written, its transaction is open
``normalize.after_commit``   the batch is committed, its events are not published
``relay.published``          events are acknowledged by NATS, their outbox rows still there
``relay.swept``              the same of events that an earlier death left behind
``normalize.committed``      the batch is done, its messages are not acknowledged
``normalize.acked``          the batch's messages are acknowledged
``deliver.claimed``          deliveries are claimed in the ledger, nothing else is done
``deliver.before_call``      the ledger says `in_doubt`, the target has not been called
``deliver.staged``           a file's bytes and mark are on disk, the partner does not see it
``deliver.left``             the partner sees the file, its folder is not synced
``deliver.after_call``       the target has answered, the ledger does not know it yet
``deliver.settled``          the ledger knows the outcome, nothing after it is done
``replay.stored``            the receipt of a replay is stored, its job knows nothing of it
===========================  =========================================================
"""

from __future__ import annotations

import os
import signal

from canonical.errors import ConfigError

VARIABLE = "CROSSDOCK_FAILPOINT"


def parse(text: str) -> dict[str, int]:
    """Read the variable: each name with the passing at which it kills, counted from 1.

    Raises:
        ConfigError: ``failpoint_unreadable``: the count is not a whole number from 1.
    """
    armed = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, count = entry.partition(":")
        if count and not (count.isascii() and count.isdigit() and int(count) > 0):
            raise ConfigError("failpoint_unreadable", VARIABLE, "expected name or name:count")
        armed[name] = int(count or 1)
    return armed


_ARMED = parse(os.environ.get(VARIABLE, ""))


def reached(name: str) -> None:
    """Die here, now, if this passing of `name` is the armed one."""
    if _ARMED and name in _ARMED:
        _ARMED[name] -= 1
        if _ARMED[name] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
