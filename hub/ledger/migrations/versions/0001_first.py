"""The first schema of the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "attempt",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", "n", name=op.f("pk_attempt")),
        comment="Every try of a delivery and how it ended.",
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        comment="What people did: an append-only chain, each row hashing the one before.",
    )
    op.create_index("ix_audit_at_seq", "audit", ["at", "seq"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        comment="One row: where the audit chain ends, so that a tail that was cut off is missed.",
    )
    op.create_table(
        "control_counter",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_control_counter")),
        comment="The next control number per (sender, receiver, usage).",
    )
    op.create_table(
        "control_number",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_control_number")),
        comment="Which document got which control number, and when: a resend keeps both.",
    )
    op.create_index(
        "uq_control_number_scope_number_at",
        "control_number",
        ["scope", "number", "at"],
        unique=True,
    )
    op.create_table(
        "interchange",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "reference", name=op.f("pk_interchange")),
        comment="Numbers that senders have used: a repeated one is a retransmission or a conflict.",
    )
    op.create_index("ix_interchange_scope_number", "interchange", ["scope", "number"])
    op.create_index("ix_interchange_scope_received_at", "interchange", ["scope", "received_at"])
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("named", sa.Text(), server_default="", nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("unmatched", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        comment="What partners said of what we sent, matched by its control number.",
    )
    op.create_index("ix_confirmation_at", "confirmation", ["at"], unique=False)
    op.create_index("ix_confirmation_delivery_id", "confirmation", ["delivery_id"], unique=False)
    op.create_index(
        "ix_confirmation_unmatched",
        "confirmation",
        ["at"],
        unique=False,
        postgresql_where=sa.text("delivery_id IS NULL"),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("flow", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("document_id", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("business_key", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("replays", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mapping_version", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=24, scale=6), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("edit_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
        comment="Documents that could not go on; an open one blocks its business key.",
    )
    op.create_index("ix_dead_letter_business_key", "dead_letter", ["business_key"], unique=False)
    op.create_index("ix_dead_letter_delivery_id", "dead_letter", ["delivery_id"], unique=False)
    op.create_index("ix_dead_letter_document_id", "dead_letter", ["document_id"], unique=False)
    op.create_index("ix_dead_letter_fingerprint", "dead_letter", ["fingerprint"], unique=False)
    op.create_index("ix_dead_letter_receipt_id", "dead_letter", ["receipt_id"], unique=False)
    op.create_index(
        "ix_dead_letter_state_opened_at", "dead_letter", ["state", "opened_at"], unique=False
    )
    op.create_index("ix_dead_letter_opened_at", "dead_letter", ["opened_at", "id"], unique=False)
    op.create_index(
        "ix_dead_letter_waiting",
        "dead_letter",
        ["opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('open', 'replaying')"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), server_default="", nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("after_target", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("yields", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("claim_token", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_sha256", sa.Text(), nullable=True),
        sa.Column("archive", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "document_id",
            "target",
            "action",
            "occasion",
            name=op.f("uq_delivery_document_id_target_action_occasion"),
        ),
        comment="One document version to one target: pending, in_flight, in_doubt, delivered, dead.",
    )
    op.create_index(
        "ix_delivery_action_settled_at",
        "delivery",
        ["action", "settled_at"],
        unique=False,
        postgresql_where=sa.text("state = 'delivered'"),
    )
    op.create_index(
        "ix_delivery_business_key_target_version",
        "delivery",
        ["business_key", "target", "version"],
        unique=False,
    )
    op.create_index(
        "ix_delivery_claim_token",
        "delivery",
        ["claim_token"],
        unique=False,
        postgresql_where=sa.text("claim_token IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_external_id",
        "delivery",
        ["external_id"],
        unique=False,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_number",
        "delivery",
        [sa.literal_column("(facts ->> 'number')")],
        unique=False,
        postgresql_where=sa.text("(facts ->> 'number') IS NOT NULL"),
    )
    op.create_index("ix_delivery_reference", "delivery", ["reference"], unique=False)
    op.create_index(
        "ix_delivery_target_state_next_at", "delivery", ["target", "state", "next_at"], unique=False
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("place_in_receipt", sa.Text(), server_default="", nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("po_key", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=24, scale=6), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("canonical", postgresql.JSONB(), nullable=True),
        sa.Column("mapping_version", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        comment="Every document, in and out, with its three identities and what became of it.",
    )
    op.create_index(
        "ix_document_business_key_content_id",
        "document",
        ["business_key", "content_id"],
        unique=False,
    )
    op.create_index("ix_document_content_id", "document", ["content_id"], unique=False)
    op.create_index("ix_document_created_at", "document", ["created_at"], unique=False)
    op.create_index(
        "ix_document_entity_state_created_at_direction",
        "document",
        ["entity", "state", "created_at", "direction"],
        unique=False,
    )
    op.create_index(
        "ix_document_items",
        "document",
        [sa.literal_column("(canonical -> 'items')").label("items")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"items": "jsonb_path_ops"},
        postgresql_where=sa.text("entity = 'remittance'"),
    )
    op.create_index(
        "ix_document_number",
        "document",
        ["number"],
        unique=False,
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_index(
        "ix_document_packages",
        "document",
        [sa.literal_column("(canonical -> 'packages')").label("packages")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"packages": "jsonb_path_ops"},
        postgresql_where=sa.text("entity = 'shipment'"),
    )
    op.create_index(
        "ix_document_po_key",
        "document",
        ["po_key"],
        unique=False,
        postgresql_where=sa.text("po_key IS NOT NULL"),
    )
    op.create_index("ix_document_receipt_id", "document", ["receipt_id"], unique=False)
    op.create_index("ix_document_reference", "document", ["reference"], unique=False)
    op.create_index(
        "ix_document_ship_by",
        "document",
        [
            sa.literal_column(
                "(coalesce(canonical ->> 'requested_ship_on', canonical ->> 'requested_delivery_on'))"
            )
        ],
        unique=False,
        postgresql_where=sa.text("entity = 'order' AND version IS NOT NULL"),
    )
    op.create_index(
        "ix_document_tracking_numbers",
        "document",
        [sa.literal_column("(canonical -> 'tracking_numbers')").label("tracking_numbers")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"tracking_numbers": "jsonb_path_ops"},
        postgresql_where=sa.text("entity = 'shipment'"),
    )
    op.create_index(
        "uq_document_business_key_version", "document", ["business_key", "version"], unique=True
    )
    op.create_table(
        "exchange",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owed_to", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "direction", "name", name=op.f("pk_exchange")),
        comment="What transports must remember of a message: its receipt, or that it is on its way.",
    )
    op.create_index(
        "ix_exchange_next_at",
        "exchange",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=24, scale=6), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("redrives", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        comment="What reconciliation found missing, extra, different or late.",
    )
    op.create_index("ix_finding_reference", "finding", ["reference"], unique=False)
    for name in ("job", "owner", "partner"):
        op.create_index(
            f"ix_finding_{name}_state_since", "finding", [name, "state", "since"], unique=False
        )
    op.create_index("ix_finding_since", "finding", ["since"], unique=False)
    op.create_index("ix_finding_state_since", "finding", ["state", "since"], unique=False)
    op.create_index("ix_finding_subject", "finding", ["subject"], unique=False)
    op.create_index(
        "uq_finding_job_subject_open",
        "finding",
        ["job", "subject"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        comment="Documents kept back, why, and who let them go.",
    )
    op.create_index(
        "ix_hold_business_key_open",
        "hold",
        ["business_key"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_hold_document_id", "hold", ["document_id"], unique=False)
    op.create_index("ix_hold_state_opened_at", "hold", ["state", "opened_at"], unique=False)
    op.create_table(
        "identity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        comment="One row: which ledger this is; also written into the streams' metadata.",
    )
    op.create_table(
        "key_head",
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("business_key", name=op.f("pk_key_head")),
        comment="The version in force of each business key; locked while a verdict is made.",
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column(
            "written_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        comment="Events that are committed and not yet acknowledged by NATS; gone once they are.",
    )
    op.create_index("ix_outbox_event_id", "outbox", ["event_id"], unique=False)
    op.create_index(
        "ix_outbox_dead",
        "outbox",
        ["seq"],
        unique=False,
        postgresql_where=sa.text("subject LIKE 'dead.%'"),
    )
    op.create_table(
        "poll_cursor",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("last_delivery_id", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "flow", name=op.f("pk_poll_cursor")),
        comment="Where each poll goes on.",
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("duplicate_of", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeliveries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        comment="The inbox: one row per acceptance, written with everything that came of it.",
    )
    op.create_index(
        "ix_receipt_connection_sha256_decided_at",
        "receipt",
        ["connection", "sha256", "decided_at"],
        unique=False,
    )
    op.create_index("ix_receipt_received_at", "receipt", ["received_at"], unique=False)
    op.create_index(
        "ix_receipt_redelivered",
        "receipt",
        ["id"],
        unique=False,
        postgresql_where=sa.text("redeliveries > 0"),
    )
    op.create_table(
        "reconcile_run",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sweep", sa.Boolean(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("unchecked", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("healing", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job", "started_at", name=op.f("pk_reconcile_run")),
        comment="Finished runs of reconciliation jobs: where the next one goes on.",
    )
    op.create_table(
        "reference",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.Column("canonical", postgresql.JSONB(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "entity", "number", name=op.f("pk_reference")),
        comment="Customers, items and stock as their system last said: what control points read.",
    )
    op.create_table(
        "statement",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target", "action", name=op.f("pk_statement")),
        comment="A target's own list of what it holds, and the time that the list covers.",
    )
    op.create_table(
        "statement_entry",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=24, scale=6), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("target", "action", "external_id", name=op.f("pk_statement_entry")),
        comment="One thing that a target says it holds.",
    )
    op.create_index(
        "ix_statement_entry_target_action_reference",
        "statement_entry",
        ["target", "action", "reference", "external_id"],
        unique=False,
    )
    op.create_table(
        "pause",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_pause")),
        comment="Targets that asked to be left alone until then: all replicas keep to it, and restarts.",
    )
    op.create_table(
        "suspect",
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message", name=op.f("pk_suspect")),
        comment="Messages decided alone because something died with them in hand, and how often.",
    )
    op.create_table(
        "replay_job",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "filters", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.Column("canary", sa.Integer(), server_default="0", nullable=False),
        sa.Column("map_version", sa.Text(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column(
            "money", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "targets", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replay_job")),
        comment="Replays that people asked for: what was chosen, how fast, how it stands.",
    )
    op.create_index("ix_replay_job_requested_at", "replay_job", ["requested_at"], unique=False)
    op.create_index(
        "ix_replay_job_unfinished",
        "replay_job",
        ["requested_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "replay_item",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("canary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("new_letter", sa.Text(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_replay_item")),
        comment="The letters of a replay job, the oldest first, and the outcome of each.",
    )
    op.create_index(
        "ix_replay_item_job_id_lane_unfinished",
        "replay_item",
        ["job_id", "lane"],
        unique=False,
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "ix_replay_item_job_id_outcome_seq",
        "replay_item",
        ["job_id", "outcome", "seq"],
        unique=False,
    )
    op.create_index(
        "ix_replay_item_unfinished",
        "replay_item",
        ["job_id", "state", "target", "seq"],
        unique=False,
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "uq_replay_item_letter_id_unfinished",
        "replay_item",
        ["letter_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_table(
        "letter_edit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("letter_id", sa.Text(), nullable=False),
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("original_sha256", sa.Text(), nullable=False),
        sa.Column("original_archive", sa.Text(), nullable=False),
        sa.Column("edited_sha256", sa.Text(), nullable=False),
        sa.Column("edited_archive", sa.Text(), nullable=False),
        sa.Column(
            "changed", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_edit")),
        comment="Corrections of documents by people: the original and what was made of it.",
    )
    op.create_index(
        "ix_letter_edit_awaiting",
        "letter_edit",
        ["made_at"],
        unique=False,
        postgresql_where=sa.text("state = 'awaiting_approval'"),
    )
    op.create_index("ix_letter_edit_letter_id", "letter_edit", ["letter_id"], unique=False)
    op.create_table(
        "deployment",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deployment")),
        comment="What ran since when: a row each time a hub starts with something changed.",
    )
    op.create_index("ix_deployment_at", "deployment", ["at"], unique=False)


def downgrade() -> None:
    """Drop all tables."""
    op.drop_index("ix_statement_entry_target_action_reference", table_name="statement_entry")
    op.drop_table("statement_entry")
    op.drop_table("statement")
    op.drop_table("reconcile_run")
    op.drop_index("ix_deployment_at", table_name="deployment")
    op.drop_table("deployment")
    op.drop_index(
        "ix_letter_edit_awaiting",
        table_name="letter_edit",
        postgresql_where=sa.text("state = 'awaiting_approval'"),
    )
    op.drop_index("ix_letter_edit_letter_id", table_name="letter_edit")
    op.drop_table("letter_edit")
    op.drop_index(
        "ix_replay_item_job_id_lane_unfinished",
        table_name="replay_item",
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.drop_index("ix_replay_item_job_id_outcome_seq", table_name="replay_item")
    op.drop_index(
        "ix_replay_item_unfinished",
        table_name="replay_item",
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.drop_index(
        "uq_replay_item_letter_id_unfinished",
        table_name="replay_item",
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.drop_table("replay_item")
    op.drop_index("ix_replay_job_requested_at", table_name="replay_job")
    op.drop_index(
        "ix_replay_job_unfinished",
        table_name="replay_job",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_table("replay_job")
    op.drop_table("suspect")
    op.drop_table("pause")
    op.drop_table("reference")
    op.drop_index(
        "ix_receipt_redelivered",
        table_name="receipt",
        postgresql_where=sa.text("redeliveries > 0"),
    )
    op.drop_index("ix_receipt_received_at", table_name="receipt")
    op.drop_index("ix_receipt_connection_sha256_decided_at", table_name="receipt")
    op.drop_table("receipt")
    op.drop_table("poll_cursor")
    op.drop_index(
        "ix_outbox_dead",
        table_name="outbox",
        postgresql_where=sa.text("subject LIKE 'dead.%'"),
    )
    op.drop_index("ix_outbox_event_id", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("key_head")
    op.drop_table("identity")
    op.drop_index("ix_hold_state_opened_at", table_name="hold")
    op.drop_index("ix_hold_document_id", table_name="hold")
    op.drop_index(
        "ix_hold_business_key_open", table_name="hold", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_table("hold")
    op.drop_index(
        "uq_finding_job_subject_open",
        table_name="finding",
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.drop_index("ix_finding_subject", table_name="finding")
    op.drop_index("ix_finding_reference", table_name="finding")
    op.drop_index("ix_finding_state_since", table_name="finding")
    for name in ("job", "owner", "partner"):
        op.drop_index(f"ix_finding_{name}_state_since", table_name="finding")
    op.drop_index("ix_finding_since", table_name="finding")
    op.drop_table("finding")
    op.drop_index("uq_document_business_key_version", table_name="document")
    op.drop_index(
        "ix_document_tracking_numbers",
        table_name="document",
        postgresql_using="gin",
        postgresql_where=sa.text("entity = 'shipment'"),
    )
    op.drop_index(
        "ix_document_ship_by",
        table_name="document",
        postgresql_where=sa.text("entity = 'order' AND version IS NOT NULL"),
    )
    op.drop_index("ix_document_reference", table_name="document")
    op.drop_index("ix_document_receipt_id", table_name="document")
    op.drop_index("ix_document_po_key", table_name="document")
    op.drop_index(
        "ix_document_packages",
        table_name="document",
        postgresql_using="gin",
        postgresql_where=sa.text("entity = 'shipment'"),
    )
    op.drop_index("ix_document_number", table_name="document")
    op.drop_index(
        "ix_document_items",
        table_name="document",
        postgresql_using="gin",
        postgresql_where=sa.text("entity = 'remittance'"),
    )
    op.drop_index("ix_document_entity_state_created_at_direction", table_name="document")
    op.drop_index("ix_document_created_at", table_name="document")
    op.drop_index("ix_document_content_id", table_name="document")
    op.drop_index("ix_document_business_key_content_id", table_name="document")
    op.drop_index(
        "ix_exchange_next_at",
        table_name="exchange",
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.drop_table("exchange")
    op.drop_table("document")
    op.drop_index("ix_delivery_target_state_next_at", table_name="delivery")
    op.drop_index("ix_delivery_reference", table_name="delivery")
    op.drop_index("ix_delivery_number", table_name="delivery")
    op.drop_index("ix_delivery_external_id", table_name="delivery")
    op.drop_index(
        "ix_delivery_claim_token",
        table_name="delivery",
        postgresql_where=sa.text("claim_token IS NOT NULL"),
    )
    op.drop_index("ix_delivery_business_key_target_version", table_name="delivery")
    op.drop_index(
        "ix_delivery_action_settled_at",
        table_name="delivery",
        postgresql_where=sa.text("state = 'delivered'"),
    )
    op.drop_table("delivery")
    op.drop_index(
        "ix_dead_letter_waiting",
        table_name="dead_letter",
        postgresql_where=sa.text("state IN ('open', 'replaying')"),
    )
    op.drop_index("ix_dead_letter_opened_at", table_name="dead_letter")
    op.drop_index("ix_dead_letter_state_opened_at", table_name="dead_letter")
    op.drop_index("ix_dead_letter_receipt_id", table_name="dead_letter")
    op.drop_index("ix_dead_letter_fingerprint", table_name="dead_letter")
    op.drop_index("ix_dead_letter_document_id", table_name="dead_letter")
    op.drop_index("ix_dead_letter_delivery_id", table_name="dead_letter")
    op.drop_index("ix_dead_letter_business_key", table_name="dead_letter")
    op.drop_table("dead_letter")
    op.drop_index(
        "ix_confirmation_unmatched",
        table_name="confirmation",
        postgresql_where=sa.text("delivery_id IS NULL"),
    )
    op.drop_index("ix_confirmation_delivery_id", table_name="confirmation")
    op.drop_index("ix_confirmation_at", table_name="confirmation")
    op.drop_table("confirmation")
    op.drop_index("ix_interchange_scope_received_at", table_name="interchange")
    op.drop_index("ix_interchange_scope_number", table_name="interchange")
    op.drop_table("interchange")
    op.drop_index("uq_control_number_scope_number_at", table_name="control_number")
    op.drop_table("control_number")
    op.drop_table("control_counter")
    op.drop_table("audit_head")
    op.drop_index("ix_audit_subject", table_name="audit")
    op.drop_index("ix_audit_at_seq", table_name="audit")
    op.drop_table("audit")
    op.drop_table("attempt")
