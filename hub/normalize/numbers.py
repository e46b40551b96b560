"""Numbers that a sender has used before, for something else: such an interchange is not processed.

Code: ``interchange_number_conflict``: the same control number came before, with other bytes (X12
TA1 025, EDIFACT CONTRL 26). A person decides; replaying the dead letter takes the interchange in all the same. The
same number with the same bytes is a retransmission, and is answered as the first time.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from connectors.base import Interchange, Receipt
from hub.ledger import interchanges
from hub.normalize.replay import is_replay
from hub.workers.jobs import Failed, NormalizeResult


async def without_conflicts(
    ledger: AsyncConnection, read: Iterable[tuple[Receipt, NormalizeResult]], new: set[str]
) -> dict[str, NormalizeResult]:
    """Remember the numbers of new receipts; return what is left of those that hold a conflict."""
    asked = {
        receipt.id: (receipt, result)
        for receipt, result in read
        if receipt.id in new and result.interchanges and not is_replay(receipt)
    }
    used = [
        interchanges.Used(
            each.scope or receipt.connection,
            each.key,
            each.number or None,
            receipt.connection,
            each.sha256,
            key,
            receipt.received_at,
        )
        for key, (receipt, result) in asked.items()
        for each in result.interchanges
    ]
    refused = await interchanges.remember(ledger, used)
    found: dict[str, NormalizeResult] = {}
    for key, (_, result) in asked.items():
        conflicts = [i for i in result.interchanges if (key, i.key, i.sha256) in refused]
        if conflicts:
            found[key] = _left(result, conflicts)
    return found


def _left(result: NormalizeResult, conflicts: list[Interchange]) -> NormalizeResult:
    """Put one refusal in the place of each such interchange, and its answer (TA1, CONTRL) in that of the others."""
    documents = list(result.documents)
    answers = [((at, 1), answer) for at, answer in enumerate(result.answers)]
    for each in conflicts:
        kept = [item for item in documents if item.position not in each.documents]
        detail = "the same number came before, with other bytes"
        error = Rejected("interchange_number_conflict", each.element, detail)
        kept.append(Failed(each.documents.start, each.place, "", None, "decode", error))
        documents = sorted(kept, key=lambda item: item.position)
        answers = [(at, answer) for at, answer in answers if at[0] not in each.answers or not at[1]]
        if each.conflict is not None:
            # Before what is owed for the next one: its own range is empty where it is owed nothing.
            answers.append(((each.answers.start, 0), each.conflict))
    ordered = sorted(answers, key=itemgetter(0))
    return NormalizeResult(tuple(documents), tuple(answer for _, answer in ordered))
