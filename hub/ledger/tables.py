"""The ledger's tables (PostgreSQL 15 or newer); `migrations/` makes them.

Ids are text: derived (uuid5) from what they stand for, so that doing a step again writes the same
row again and a UNIQUE constraint, not an acknowledgement, is what makes an effect happen once.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _text(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, server_default=default)


def _time(name: str, *, null: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _error() -> list[sa.Column[str]]:
    """The three parts of a HubError; `place` is its `where`, a reserved word in SQL."""
    return [_text("code", null=True), _text("place", null=True), _text("detail", null=True)]


identity = sa.Table(
    "identity",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _time("created_at", null=False),
    comment="One row: which ledger this is; also written into the streams' metadata.",
)

receipt = sa.Table(
    "receipt",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("connection"),
    _text("partner"),
    _text("delivery_id"),
    _text("sha256"),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("content_type"),
    _text("flow", default=""),
    sa.Column("facts", JSONB, nullable=False, server_default="{}"),
    _text("archive"),
    _text("duplicate_of", null=True),
    _text("trace_id", null=True),
    _time("received_at", null=False),
    _time("decided_at", null=False),
    sa.Column("redeliveries", sa.Integer, nullable=False, server_default="0"),
    # By time, too: of a file that comes unchanged every minute the first is asked for. Without the
    # id, which would make the index half as large again: few are decided at one moment.
    sa.Index("ix_receipt_connection_sha256_decided_at", "connection", "sha256", "decided_at"),
    sa.Index("ix_receipt_received_at", "received_at"),
    sa.Index("ix_receipt_redelivered", "id", postgresql_where=sa.text("redeliveries > 0")),
    comment="The inbox: one row per acceptance, written with everything that came of it.",
)

document = sa.Table(
    "document",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("direction"),  # in | out
    _text("receipt_id", null=True),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    _text("place_in_receipt", default=""),
    _text("connection"),
    _text("partner"),
    _text("entity"),
    _text("flow"),
    _text("business_key"),
    _text("content_id"),
    sa.Column("version", sa.Integer, nullable=True),  # counted per key; NULL: never in force
    sa.Column("sequence", sa.BigInteger, nullable=False, server_default="0"),
    _text("purpose"),
    _text("verdict"),
    _text("state"),
    _text("number", null=True),  # PO, shipment, invoice or tracking number, as sent
    _text("po_key", null=True),  # buyer account + PO number: the thread, and what twins share
    _text("reference", null=True),  # our reference at targets
    sa.Column("amount", sa.Numeric(24, 6), nullable=True),
    _text("currency", null=True),
    sa.Column("canonical", JSONB, nullable=True),
    _text("mapping_version", null=True),
    _text("event_id", null=True),
    _text("trace_id", null=True),
    *_error(),
    _time("created_at", null=False),
    _time("settled_at"),
    sa.Index("uq_document_business_key_version", "business_key", "version", unique=True),
    sa.Index("ix_document_business_key_content_id", "business_key", "content_id"),
    sa.Index("ix_document_content_id", "content_id"),
    # What has none (answers, what could not be read) is never looked for by it.
    sa.Index("ix_document_po_key", "po_key", postgresql_where=sa.text("po_key IS NOT NULL")),
    sa.Index("ix_document_number", "number", postgresql_where=sa.text("number IS NOT NULL")),
    sa.Index("ix_document_receipt_id", "receipt_id"),
    sa.Index("ix_document_reference", "reference"),
    # With the direction in it, the account of everything is added up without reading a document.
    sa.Index(
        "ix_document_entity_state_created_at_direction",
        "entity",
        "state",
        "created_at",
        "direction",
    ),
    sa.Index("ix_document_created_at", "created_at"),
    # What a shipment is found by: a box's SSCC, a carrier's tracking number.
    sa.Index(
        "ix_document_packages",
        sa.literal_column("(canonical -> 'packages')").label("packages"),
        postgresql_using="gin",
        postgresql_ops={"packages": "jsonb_path_ops"},
        postgresql_where=sa.text("entity = 'shipment'"),
    ),
    # Which payment an invoice is paid by.
    sa.Index(
        "ix_document_items",
        sa.literal_column("(canonical -> 'items')").label("items"),
        postgresql_using="gin",
        postgresql_ops={"items": "jsonb_path_ops"},
        postgresql_where=sa.text("entity = 'remittance'"),
    ),
    # Which orders were to leave by a day; `hub/reconcile/facts.py` asks in the same words.
    sa.Index(
        "ix_document_ship_by",
        sa.text(
            "(coalesce(canonical ->> 'requested_ship_on', canonical ->> 'requested_delivery_on'))"
        ),
        postgresql_where=sa.text("entity = 'order' AND version IS NOT NULL"),
    ),
    sa.Index(
        "ix_document_tracking_numbers",
        sa.literal_column("(canonical -> 'tracking_numbers')").label("tracking_numbers"),
        postgresql_using="gin",
        postgresql_ops={"tracking_numbers": "jsonb_path_ops"},
        postgresql_where=sa.text("entity = 'shipment'"),
    ),
    comment="Every document, in and out, with its three identities and what became of it.",
)

key_head = sa.Table(
    "key_head",
    metadata,
    sa.Column("business_key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    _text("content_id"),
    _text("document_id"),
    _time("updated_at", null=False),
    comment="The version in force of each business key; locked while a verdict is made.",
)

reference = sa.Table(
    "reference",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    _text("content_id"),
    sa.Column("canonical", JSONB, nullable=False),
    _time("seen_at", null=False),
    comment="Customers, items and stock as their system last said: what control points read.",
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _text("event_id"),
    _text("subject"),
    # Where a document is named, the envelope without its data: the document has that already.
    sa.Column("payload", sa.LargeBinary, nullable=False),
    _text("document_id", null=True),
    _text("traceparent", null=True),
    sa.Column(
        "written_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    _text("refused", null=True),  # a code: the broker will never take it, so nobody tries
    sa.Index("ix_outbox_event_id", "event_id"),
    # Beside the primary key: letters are few, and what is published costs nothing more.
    sa.Index("ix_outbox_dead", "seq", postgresql_where=sa.text("subject LIKE 'dead.%'")),
    comment="Events that are committed and not yet acknowledged by NATS; gone once they are.",
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("document_id"),
    _text("target"),
    _text("action"),
    _text("flow"),
    _text("occasion", default=""),  # "" the first; replays and re-drives name theirs
    _text("business_key"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    _text("after_target", null=True),
    _text("state"),
    # Replayed: goes after everything else that is due at its target.
    sa.Column("yields", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _text("reference"),
    _text("external_id", null=True),
    sa.Column("facts", JSONB, nullable=False, server_default="{}"),
    _text("claim_token", null=True),
    _time("claimed_until"),
    _time("next_at"),
    _text("sent_sha256", null=True),
    _text("archive", null=True),
    *_error(),
    _text("trace_id", null=True),
    _time("created_at", null=False),
    _time("settled_at"),
    sa.UniqueConstraint("document_id", "target", "action", "occasion"),
    sa.Index("ix_delivery_target_state_next_at", "target", "state", "next_at"),
    sa.Index("ix_delivery_business_key_target_version", "business_key", "target", "version"),
    sa.Index("ix_delivery_reference", "reference"),
    sa.Index(  # known once it was delivered
        "ix_delivery_external_id",
        "external_id",
        postgresql_where=sa.text("external_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_delivery_number",
        sa.text("(facts ->> 'number')"),
        postgresql_where=sa.text("(facts ->> 'number') IS NOT NULL"),
    ),
    sa.Index(
        "ix_delivery_claim_token",
        "claim_token",
        postgresql_where=sa.text("claim_token IS NOT NULL"),
    ),
    sa.Index(
        "ix_delivery_action_settled_at",
        "action",
        "settled_at",
        postgresql_where=sa.text("state = 'delivered'"),
    ),
    comment="One document version to one target: pending, in_flight, in_doubt, delivered, dead.",
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("delivery_id", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    _text(
        "outcome"
    ),  # delivered, asked_found, retry, throttled, in_doubt, ask_failed, halted, dead
    *_error(),
    _text("said", null=True),  # what the target answered in its own words, values masked
    _text("external_id", null=True),  # where a later try may have got another than the delivery's
    _time("started_at", null=False),
    _time("ended_at"),
    comment="Every try of a delivery and how it ended.",
)

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("document_id"),
    _text("business_key"),
    _text("kind"),  # control_point, conflict, twin, orphan, behind
    sa.Column("reasons", JSONB, nullable=False),  # [{control_point, code, where, detail}]
    _text("state"),  # open | released | rejected
    _text("resolution", null=True),  # as_is, replace, reject, stale
    _text("actor", null=True),
    _text("reason", null=True),
    _time("opened_at", null=False),
    _time("closed_at"),
    sa.Index("ix_hold_state_opened_at", "state", "opened_at"),
    sa.Index("ix_hold_document_id", "document_id"),
    sa.Index(
        "ix_hold_business_key_open", "business_key", postgresql_where=sa.text("state = 'open'")
    ),
    comment="Documents kept back, why, and who let them go.",
)

dead_letter = sa.Table(
    "dead_letter",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("stage"),  # decode | map | validate | deliver
    _text("connection"),
    _text("partner"),
    _text("entity", null=True),
    _text("flow", null=True),
    _text("target", null=True),
    _text("receipt_id", null=True),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    _text("document_id", null=True),
    _text("delivery_id", null=True),
    _text("business_key", null=True),
    *_error(),
    _text("said", null=True),  # by the target, of the last try
    _text("fingerprint"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("replays", sa.Integer, nullable=False, server_default="0"),
    _text("mapping_version", null=True),
    sa.Column("amount", sa.Numeric(24, 6), nullable=True),
    _text("currency", null=True),
    _text("edit_id", null=True),  # the correction that its next replay takes
    _text("state"),  # open | replaying | replayed | archived
    _text("actor", null=True),
    _text("reason", null=True),
    _time("opened_at", null=False),
    _time("closed_at"),
    sa.Index("ix_dead_letter_state_opened_at", "state", "opened_at"),
    sa.Index("ix_dead_letter_opened_at", "opened_at", "id"),
    # What lists show: the oldest that somebody still has to do something about.
    sa.Index(
        "ix_dead_letter_waiting",
        "opened_at",
        "id",
        postgresql_where=sa.text("state IN ('open', 'replaying')"),
    ),
    sa.Index("ix_dead_letter_fingerprint", "fingerprint"),
    sa.Index("ix_dead_letter_business_key", "business_key"),
    sa.Index("ix_dead_letter_receipt_id", "receipt_id"),
    sa.Index("ix_dead_letter_delivery_id", "delivery_id"),
    sa.Index("ix_dead_letter_document_id", "document_id"),
    comment="Documents that could not go on; an open one blocks its business key.",
)

replay_job = sa.Table(
    "replay_job",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("state"),  # awaiting_approval | canary | running | done | stopped | cancelled | refused
    sa.Column("filters", JSONB, nullable=False, server_default="{}"),
    _text("actor"),
    _text("reason"),
    sa.Column("per_second", sa.Float, nullable=False),
    sa.Column("canary", sa.Integer, nullable=False, server_default="0"),
    _text("map_version", null=True),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("money", JSONB, nullable=False, server_default="{}"),
    sa.Column("targets", JSONB, nullable=False, server_default="[]"),
    *_error(),  # why it stopped
    _text("approved_by", null=True),
    _time("approved_at"),
    _time("requested_at", null=False),
    _time("next_at", null=False),  # when the next letter may begin
    _time("ended_at"),
    sa.Index(
        "ix_replay_job_unfinished", "requested_at", postgresql_where=sa.text("ended_at IS NULL")
    ),
    sa.Index("ix_replay_job_requested_at", "requested_at"),
    comment="Replays that people asked for: what was chosen, how fast, how it stands.",
)

replay_item = sa.Table(
    "replay_item",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    _text("letter_id"),
    _text("lane"),  # letters of one lane go one after the other
    _text("target"),  # "" where it goes through the pipeline again
    sa.Column("canary", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("state"),  # waiting | begun | ended
    _text("outcome", null=True),
    *_error(),
    _text("new_letter", null=True),
    _time("begun_at"),
    _time("ended_at"),
    sa.Index(
        "uq_replay_item_letter_id_unfinished",
        "letter_id",
        unique=True,
        postgresql_where=sa.text("state <> 'ended'"),
    ),
    sa.Index(
        "ix_replay_item_unfinished",
        "job_id",
        "state",
        "target",
        "seq",
        postgresql_where=sa.text("state <> 'ended'"),
    ),
    sa.Index("ix_replay_item_job_id_outcome_seq", "job_id", "outcome", "seq"),
    sa.Index(
        "ix_replay_item_job_id_lane_unfinished",
        "job_id",
        "lane",
        postgresql_where=sa.text("state <> 'ended'"),
    ),
    comment="The letters of a replay job, the oldest first, and the outcome of each.",
)

letter_edit = sa.Table(
    "letter_edit",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("letter_id"),
    _text("of"),  # receipt | document
    _text("state"),  # awaiting_approval | accepted | refused
    _text("original_sha256"),
    _text("original_archive"),
    _text("edited_sha256"),
    _text("edited_archive"),
    sa.Column("changed", JSONB, nullable=False, server_default="[]"),  # paths, never values
    _text("actor"),
    _text("reason"),
    _text("approved_by", null=True),
    _time("approved_at"),
    _time("made_at", null=False),
    sa.Index("ix_letter_edit_letter_id", "letter_id"),
    sa.Index(
        "ix_letter_edit_awaiting",
        "made_at",
        postgresql_where=sa.text("state = 'awaiting_approval'"),
    ),
    comment="Corrections of documents by people: the original and what was made of it.",
)

deployment = sa.Table(
    "deployment",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _time("at", null=False),
    _text("version"),
    sa.Column("parts", JSONB, nullable=False),  # part of the site or mapping -> its hash
    sa.Index("ix_deployment_at", "at"),
    comment="What ran since when: a row each time a hub starts with something changed.",
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("job"),
    _text("subject"),
    _text("reference", null=True),  # our reference of the order that it is about
    _text("partner", default=""),
    _text("owner", default=""),  # the team or person whose it is
    _text("state"),  # open | healing | closed
    _text("cause"),
    _text("remedy"),
    sa.Column("amount", sa.Numeric(24, 6), nullable=True),
    _text("currency", null=True),
    sa.Column("details", JSONB, nullable=False, server_default="{}"),
    sa.Column("redrives", sa.Integer, nullable=False, server_default="0"),
    _time("since", null=False),  # when the fact became true: age is counted from here
    _time("opened_at", null=False),
    _time("last_seen_at", null=False),
    _time("closed_at"),
    sa.Index(
        "uq_finding_job_subject_open",
        "job",
        "subject",
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    ),
    sa.Index("ix_finding_subject", "subject"),
    sa.Index("ix_finding_reference", "reference"),
    sa.Index("ix_finding_state_since", "state", "since"),
    sa.Index("ix_finding_job_state_since", "job", "state", "since"),
    sa.Index("ix_finding_owner_state_since", "owner", "state", "since"),
    sa.Index("ix_finding_partner_state_since", "partner", "state", "since"),
    sa.Index("ix_finding_since", "since"),
    comment="What reconciliation found missing, extra, different or late.",
)

reconcile_run = sa.Table(
    "reconcile_run",
    metadata,
    _text("job"),
    _time("started_at", null=False),
    sa.Column("seconds", sa.Double, nullable=False),
    _time("since", null=False),
    sa.Column("sweep", sa.Boolean, nullable=False),  # looked at the whole window
    sa.Column("looked_at", sa.BigInteger, nullable=False),
    sa.Column("unchecked", sa.BigInteger, nullable=False),
    sa.Column("found", sa.BigInteger, nullable=False),
    sa.Column("opened", sa.BigInteger, nullable=False),
    sa.Column("healing", sa.BigInteger, nullable=False),
    sa.Column("closed", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("job", "started_at"),
    comment="Finished runs of reconciliation jobs: where the next one goes on.",
)

statement = sa.Table(
    "statement",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("action", sa.Text, primary_key=True),
    _time("since", null=False),
    _time("until", null=False),
    _time("loaded_at", null=False),
    _text("actor"),
    comment="A target's own list of what it holds, and the time that the list covers.",
)

statement_entry = sa.Table(
    "statement_entry",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("action", sa.Text, primary_key=True),
    sa.Column("external_id", sa.Text, primary_key=True),
    _text("reference", null=True),
    _text("sha256", null=True),
    sa.Column("amount", sa.Numeric(24, 6), nullable=True),
    _text("currency", null=True),
    # What a target has twice under one reference of ours.
    sa.Index(
        "ix_statement_entry_target_action_reference", "target", "action", "reference", "external_id"
    ),
    comment="One thing that a target says it holds.",
)

control_counter = sa.Table(
    "control_counter",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("next", sa.BigInteger, nullable=False),
    comment="The next control number per (sender, receiver, usage).",
)

control_number = sa.Table(
    "control_number",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("target"),  # the connection that it went out on
    sa.Column("number", sa.BigInteger, nullable=False),
    _time("at", null=False),
    sa.Index("uq_control_number_scope_number_at", "scope", "number", "at", unique=True),
    comment="Which document got which control number, and when: a resend keeps both.",
)

interchange = sa.Table(
    "interchange",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),  # sender, receiver and usage
    sa.Column("reference", sa.Text, primary_key=True),  # as its sender writes it
    sa.Column("number", sa.BigInteger, nullable=True),  # NULL: no number, no gaps
    _text("connection"),
    _text("sha256"),
    _text("receipt_id"),
    _time("received_at", null=False),
    sa.Index("ix_interchange_scope_number", "scope", "number"),
    sa.Index("ix_interchange_scope_received_at", "scope", "received_at"),
    comment="Numbers that senders have used: a repeated one is a retransmission or a conflict.",
)

confirmation = sa.Table(
    "confirmation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("connection"),
    sa.Column("number", sa.BigInteger, nullable=False),
    _text("named", default=""),  # the document's own number
    _text("flow"),
    _text("state"),  # received | accepted | accepted_with_errors | rejected | unclear
    sa.Column("reasons", JSONB, nullable=False),  # [{code, where, detail}]
    _text("document_id"),
    _text("delivery_id", null=True),
    _text("unmatched", null=True),  # why there is no delivery
    _time("at", null=False),
    sa.Index("ix_confirmation_delivery_id", "delivery_id"),
    sa.Index("ix_confirmation_at", "at"),
    sa.Index("ix_confirmation_unmatched", "at", postgresql_where=sa.text("delivery_id IS NULL")),
    comment="What partners said of what we sent, matched by its control number.",
)

poll_cursor = sa.Table(
    "poll_cursor",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("flow", sa.Text, primary_key=True),
    _text("cursor"),
    _text("last_delivery_id", default=""),
    _time("updated_at", null=False),
    comment="Where each poll goes on.",
)

exchange = sa.Table(
    "exchange",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("direction", sa.Text, primary_key=True),  # in | out
    sa.Column("name", sa.Text, primary_key=True),  # AS2 Message-ID; remote file name
    _text("sha256"),
    _text("subject"),  # receipt (in) or delivery (out)
    sa.Column("headers", JSONB, nullable=True),
    sa.Column("answer", sa.LargeBinary, nullable=True),  # the AS2 receipt (MDN), ours or theirs
    _time("answered_at"),
    _text("owed_to", null=True),  # URL that an asynchronous receipt of ours goes to
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _time("next_at"),  # NULL: nothing is owed, or any more
    _text("code", null=True),
    _time("created_at", null=False),
    sa.Index("ix_exchange_next_at", "next_at", postgresql_where=sa.text("next_at IS NOT NULL")),
    comment="What transports must remember of a message: its receipt, or that it is on its way.",
)

pause = sa.Table(
    "pause",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    _time("until", null=False),
    comment="Targets that asked to be left alone until then: all replicas keep to it, and restarts.",
)

suspect = sa.Table(
    "suspect",
    metadata,
    sa.Column("message", sa.Text, primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
    _time("at", null=False),
    comment="Messages decided alone because something died with them in hand, and how often.",
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True),
    _time("at", null=False),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("reason"),
    sa.Column("before", JSONB, nullable=True),
    sa.Column("after", JSONB, nullable=True),
    _text("previous_hash"),
    _text("hash"),
    sa.Index("ix_audit_subject", "subject"),
    sa.Index("ix_audit_at_seq", "at", "seq"),
    comment="What people did: an append-only chain, each row hashing the one before.",
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    _text("hash"),
    comment="One row: where the audit chain ends, so that a tail that was cut off is missed.",
)
