"""Deciding a batch: a verdict for each document, and what follows from it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from canonical.envelope import VERBS
from canonical.verdict import Verdict, judge
from connectors.base import Confirmation
from hub.events import Subject, canonical_event
from hub.ids import derived_id
from hub.ledger.keys import KeyState, Purchase
from hub.ledger.reference_view import ReferenceView
from hub.ledger.unmatched import UNCLEAR
from hub.normalize import rows
from hub.normalize.plan import Admitted, Case, Plan, Row
from hub.release.asked import Asked
from hub.release.control_points import Reason, check
from hub.release.routing import (
    Routed,
    deliveries,
    passed_over,
    pending,
    routes_of,
    unknown_order,
)
from hub.release.same_number import SAME_NUMBER
from hub.settings.customers import ORDERS
from hub.settings.model import Site
from hub.workers.jobs import Acknowledged, Failed, Normalized

REFERENCE_ENTITIES = frozenset({"customer", "item", "inventory"})
"""Snapshots that control points read: the newest counts, older versions are not kept."""

_NO_EFFECT = {Verdict.DUPLICATE: "duplicate", Verdict.STALE: "duplicate"}
_REASONS = {
    Verdict.CONFLICT: Reason(
        "identity", "conflict", "", "the same purchase order came again with other content"
    ),
    Verdict.TWIN: Reason(
        "identity", "twin", "", "another order of the same purchase is already here"
    ),
    Verdict.ORPHAN: Reason("identity", "orphan", "", "the order that it changes is not known yet"),
}

BEHIND = Reason("identity", "behind_hold", "", "an earlier version of the order is held")
_KINDS = {BEHIND: "behind"}
_ABOUT_NOTHING = Confirmation(0, UNCLEAR)
"""What an acknowledgement says that names nothing of ours: recorded, so that somebody sees it."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that deciding depends on, as values."""

    site: Site
    now: datetime
    heads: Mapping[str, KeyState]
    by_content: Mapping[str, list[Purchase]]
    by_purchase: Mapping[str, list[Purchase]]
    references: Mapping[tuple[str, str, str], tuple[int, str]]
    """(connection, entity, number) -> (sequence, content id) of the snapshot in force."""
    view: ReferenceView
    customers: Mapping[str, str] = field(default_factory=dict)
    """Reference -> the partner whose order has it, of those that a route asks for."""


class Decider:
    """Decides documents one after the other, each seeing what the ones before it changed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._plan = Plan(heads=dict(context.heads))
        self._content = {k: list(v) for k, v in context.by_content.items()}
        self._purchases = {k: list(v) for k, v in context.by_purchase.items()}
        self._customers = dict(context.customers)

    def decide(self, admitted: Admitted) -> None:
        """Decide all documents of one receipt."""
        if admitted.replay is not None:
            self._plan.replayed.append(admitted.replay)
        for document in admitted.result.documents:
            if isinstance(document, Failed):
                self._failed(admitted, document)
            elif isinstance(document, Acknowledged):
                self._acknowledged(admitted, document)
            elif document.entity in REFERENCE_ENTITIES:
                self._snapshot(admitted, document)
            else:
                self._document(rows.case(admitted, document))
        self._answers(admitted)

    def plan(self) -> Plan:
        """Return everything decided so far."""
        return self._plan

    def _failed(self, admitted: Admitted, failed: Failed) -> None:
        row = rows.failed_document(admitted, failed, self._context.now)
        self._plan.documents.append(row)
        if not failed.answered:
            letter, event = rows.dead_letter(admitted, failed, row["id"], self._context.now)
            self._plan.dead_letters.append(letter)
            self._plan.events.append(event)

    def _acknowledged(self, admitted: Admitted, acknowledged: Acknowledged) -> None:
        row = rows.acknowledgement_in(admitted, acknowledged, self._context.now)
        self._plan.documents.append(row)
        self._plan.confirmations.extend(
            rows.confirmation(row, number, said)
            for number, said in enumerate(acknowledged.confirms or (_ABOUT_NOTHING,))
        )

    def _snapshot(self, admitted: Admitted, document: Normalized) -> None:
        key = (admitted.receipt.connection, document.entity, document.number or "")
        known = self._context.references.get(key)
        planned = self._plan.references.get(key)
        if planned is not None:
            known = (planned["sequence"], planned["content_id"])
        if known and (known[1] == document.content_id or document.sequence < known[0]):
            return
        self._plan.references[key] = rows.reference(key, document, self._context.now)
        # A figure may come back to what it was: the receipt makes each of them an event of its own.
        event_id = rows.snapshot_event_id(admitted, document)
        self._publish(rows.case(admitted, document), event_id, in_ledger=False)

    def _document(self, case: Case) -> None:
        document = case.document
        head = self._plan.heads.setdefault(document.business_key, KeyState())
        verdict = judge(
            known=head.known(),
            content=document.content_id,
            purpose=document.purpose,
            sequence=document.sequence,
            has_twin=self._has_twin(case),
        )
        if verdict in _NO_EFFECT:
            if not case.admitted.polled:
                self._record(case, verdict, _NO_EFFECT[verdict], None)
            return
        reasons = self._reasons(verdict, case.admitted.asked.get(document.position))
        if verdict in (Verdict.CONFLICT, Verdict.ORPHAN):
            head.contents.add(document.content_id)
            self._hold(case, verdict, reasons, version=None)
            return
        if head.held and verdict is Verdict.CHANGE:
            head.contents.add(document.content_id)
            self._hold(case, verdict, (BEHIND,), version=None)
            return
        awaited = head.version == 0 and bool(head.contents)
        version = self._enter(head, case)
        if reasons:
            head.held = True
            self._hold(case, verdict, reasons, version)
            return
        if awaited:  # what is parked never goes before a held original: releasing that lets it go
            self._plan.adopted.add(document.business_key)
        self._release(case, verdict, version)

    def _reasons(self, verdict: Verdict, asked: Asked | None) -> tuple[Reason, ...]:
        found = (_REASONS[verdict],) if verdict in _REASONS else ()
        if verdict is Verdict.CONFLICT and asked is not None and asked.entity == "order_change":
            found = (SAME_NUMBER,)
        if asked is None:
            return found
        return found + check(asked, self._context.view, self._context.site.control_points)

    def _enter(self, head: KeyState, case: Case) -> int:
        """Make the document the version in force of its key."""
        admitted, document = case.admitted, case.document
        head.version += 1
        # What has no number of its sender's leaves the newest as it is.
        head.sequence = max(head.sequence, document.sequence)
        head.content_id = document.content_id
        head.document_id = case.id
        head.contents.add(document.content_id)
        if document.entity == "order":
            mine = Purchase(
                document.business_key,
                admitted.partner,
                admitted.receipt.connection,
                self._context.now,
            )
            self._content.setdefault(document.content_id, []).append(mine)
            # What is for it may stand in the same batch.
            self._customers.setdefault(case.reference, admitted.partner)
            if document.po_key:
                self._purchases.setdefault(document.po_key, []).append(mine)
        return head.version

    def _has_twin(self, case: Case) -> bool:
        admitted, document = case.admitted, case.document
        if document.entity != "order":
            return False
        hours = self._context.site.partners[admitted.partner].twin_window_hours
        since = self._context.now - timedelta(hours=hours)
        others = [
            other
            for other in self._content.get(document.content_id, ())
            if other.at >= since and other.partner == admitted.partner
        ]
        others += [
            other
            for other in self._purchases.get(document.po_key or "", ())
            if other.connection != admitted.receipt.connection
        ]
        return any(other.business_key != document.business_key for other in others)

    def _hold(
        self, case: Case, verdict: Verdict, reasons: tuple[Reason, ...], version: int | None
    ) -> None:
        rejects = self._context.site.partners[case.admitted.partner].on_conflict == "reject"
        if verdict is Verdict.CONFLICT and rejects:
            self._record(case, verdict, "rejected", None)
            return
        row = self._record(case, verdict, "held", version)
        row |= {"code": reasons[0].code, "place": reasons[0].where, "detail": reasons[0].detail}
        kind = verdict.value if verdict in _REASONS else _KINDS.get(reasons[0], "control_point")
        self._plan.holds.append(rows.hold(row, kind, reasons, self._context.now))

    def _release(self, case: Case, verdict: Verdict, version: int) -> None:
        admitted, document = case.admitted, case.document
        routed = Routed(
            document_id=case.id,
            entity=document.entity,
            connection=admitted.receipt.connection,
            partner=admitted.partner,
            business_key=document.business_key,
            version=version,
            reference=case.reference,
            trace_id=admitted.trace_id,
            customer=self._customer(case),
        )
        site = self._context.site
        owed = deliveries(routed, routes_of(routed, site), self._context.now)
        self._plan.deliveries.extend(owed)
        row = self._record(case, verdict, "accepted" if owed else "delivered", version)
        if routed.customer is None:
            row |= unknown_order(passed_over(routed, site))
        (verb,) = VERBS[document.entity]
        self._publish(case, rows.event_id(document, verb, version), version)

    def _customer(self, case: Case) -> str | None:
        if case.document.entity in ORDERS:
            return case.admitted.partner
        return self._customers.get(case.document.reference_number or "")

    def _record(self, case: Case, verdict: Verdict, state: str, version: int | None) -> Row:
        row = rows.document(case, self._context.now)
        row["verdict"], row["state"], row["version"] = verdict.value, state, version
        if state in ("delivered", "duplicate", "rejected"):
            row["settled_at"] = self._context.now
        if state == "rejected":
            row |= {"code": verdict.value, "detail": _REASONS[verdict].detail}
        self._plan.documents.append(row)
        return row

    def _publish(
        self, case: Case, event_id: str, version: int | None = None, *, in_ledger: bool = True
    ) -> None:
        document = case.document
        (verb,) = VERBS[document.entity]
        subject = Subject(
            event_id=event_id,
            entity=document.entity,
            verb=verb,
            connection=case.admitted.receipt.connection,
            business_key=document.business_key,
            document_id=case.id,
            content_id=document.content_id,
            traceparent=case.admitted.traceparent,
            version=version,
        )
        self._plan.events.append(
            canonical_event(
                subject, document.canonical_json, self._context.now, in_ledger=in_ledger
            )
        )

    def _answers(self, admitted: Admitted) -> None:
        """Owe the sender its answers; a retransmission gets the first answer again.

        No event: an answer is in the sender's own words, and `canonical.>` is for canonical ones.
        """
        first = admitted.same_as or admitted.receipt.id
        for position, answer in enumerate(admitted.result.answers):
            row = rows.acknowledgement_out(admitted, answer, position, self._context.now)
            routed = Routed(
                document_id=row["id"],
                entity="acknowledgement",
                connection=admitted.receipt.connection,
                partner=admitted.partner,
                business_key=row["business_key"],
                version=1,
                reference=derived_id("answer", first, str(position)),
                trace_id=admitted.trace_id,
            )
            target = (admitted.receipt.connection, "send", answer.flow)
            self._plan.documents.append(row)
            self._plan.deliveries.append(pending(routed, target, self._context.now, ""))
