"""The configuration as frozen models; `docs/configuration.md` is generated from this file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from hub.settings.section import LocalPath, Section
from hub.settings.transports import As2Transport, FtpsTransport, SftpTransport

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,47}$")]
"""A name of ours: lower case, digits and hyphens, so that it is safe in subjects and paths."""

SystemName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
"""The name of a folder of `connectors/`."""


class Servers(Section):
    """Where NATS, PostgreSQL and Redis are; without a URL the hub starts its own."""

    nats_url: str | None = Field(None, description="NATS server(s), comma separated.")
    database_url: str | None = Field(None, description="PostgreSQL, `postgresql://...`.")
    redis_url: str | None = Field(None, description="Redis, `redis://...`.")
    replicas: int = Field(1, ge=1, le=5, description="Copies of each stream (a NATS cluster: 3).")
    sync_always: bool = Field(
        default=True, description="Embedded NATS only: fsync before every publish is acknowledged."
    )
    nats_monitor_port: int | None = Field(
        None, ge=1, le=65535, description="Embedded NATS only: monitoring over HTTP, on loopback."
    )
    nats_server: LocalPath | None = Field(
        None, description="The nats-server program, 2.12 or newer, instead of the bundled one."
    )
    postgres_bin: LocalPath | None = Field(
        None, description="Folder with PostgreSQL's programs, 15 or newer, instead of the bundled."
    )
    redis_server: LocalPath | None = Field(
        None, description="The redis-server program, 6.2 or newer, instead of the bundled one."
    )
    allow_private_networks: bool = Field(
        default=False,
        description="Let connections call private, loopback and link-local addresses.",
    )


class StreamLimits(Section):
    """How much NATS keeps. What is full refuses, but for events, whose oldest go."""

    intake_gib: float = Field(
        4, gt=0, description="Receipts that are accepted and not yet decided; full, it refuses."
    )
    bodies_gib: float = Field(
        4, gt=0, description="Bodies over 512 kB of such receipts; full, it refuses."
    )
    canonical_gib: float = Field(
        8,
        gt=0,
        description="Events for listeners; full, the oldest go. An order of ten lines takes 3 kB.",
    )
    canonical_days: float = Field(7, gt=0, description="How long events are kept at most.")
    dead_gib: float = Field(
        2, gt=0, description="Events of dead letters, for 30 days; full, the oldest go."
    )


class Http(Section):
    """The HTTP side: webhooks, API, health, metrics."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port; 0 takes a free one.")
    max_body: int = Field(5_000_000, gt=0, description="Most bytes of a request body, as sent.")
    max_decompressed: int = Field(
        20_000_000, gt=0, description="Most bytes of a request body after decompression."
    )


class Workers(Section):
    """The processes that decode and map; they can be killed without harm."""

    processes: int = Field(2, ge=1, le=64, description="How many worker processes.")
    deadline_seconds: float = Field(2.0, gt=0, description="Longest time one document may take.")
    memory_mb: int = Field(512, ge=64, description="Most memory of one worker, beyond its base.")


class Retry(Section):
    """How a failed delivery is tried again before it becomes a dead letter."""

    delays_seconds: tuple[float, ...] = Field(
        (2, 10, 60, 300, 1800, 7200),
        description="Longest waits between attempts; each is drawn between nothing and that.",
    )
    budget: float = Field(
        0.1, gt=0, le=1, description="Retries per first attempt above which retrying slows."
    )


class FolderTransport(Section):
    """A pair of folders, local or mounted: what partners drop and what we leave for them."""

    kind: Literal["folder"] = Field("folder", description="Says which transport it is.")
    inbox: LocalPath | None = Field(None, description="Where the partner drops files.")
    outbox: LocalPath | None = Field(None, description="Where we leave files for the partner.")
    stable_seconds: float = Field(
        1.0, ge=0, description="How long a file must stay unchanged before it is read."
    )
    pattern: str = Field("*", description="Only files whose name matches are read.")
    max_bytes: int = Field(50_000_000, gt=0, description="Largest file that is taken in.")


class WebhookTransport(Section):
    """The system calls us at `/in/<connection>`."""

    kind: Literal["webhook"] = Field("webhook", description="Says which transport it is.")


class PollTransport(Section):
    """We ask the system for what changed."""

    kind: Literal["poll"] = Field("poll", description="Says which transport it is.")
    every_seconds: float = Field(30.0, gt=0, description="How long to wait between two polls.")
    flows: tuple[str, ...] = Field((), description="Collections to poll; empty: all it offers.")


Transport = Annotated[
    FolderTransport
    | WebhookTransport
    | PollTransport
    | As2Transport
    | SftpTransport
    | FtpsTransport,
    Field(discriminator="kind"),
]


class Limits(Section):
    """How hard a target may be driven."""

    concurrency: int = Field(4, ge=1, description="Deliveries under way at once.")
    per_second: float = Field(50.0, gt=0, description="Calls started a second, at most.")
    timeout_seconds: float = Field(30.0, gt=0, description="Total time of one call.")
    breaker_failures: int = Field(5, ge=1, description="Failures in a row that open the breaker.")
    breaker_seconds: float = Field(
        5.0, gt=0, description="How long it stays open at first; then up to 6, or this if more."
    )


class Connection(Section):
    """One configured system or partner with its credentials."""

    system: SystemName = Field(description="Which connector: a folder of `connectors/`.")
    partner: Name = Field(description="The trading partner that this connection speaks for.")
    transport: Transport = Field(description="How documents come and go.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="The connector's own options; see its README."
    )
    limits: Limits = Field(Limits(), description="How hard it may be driven as a target.")
    bindings: dict[str, Any] = Field(
        default_factory=dict, description="Values that mappings of this connection can read."
    )


class Partner(Section):
    """A trading counterpart and what we agreed with it."""

    name: str = Field(description="Its name, as people know it.")
    customer_number: str | None = Field(None, description="Its account in our ERP, if it buys.")
    currency: str = Field("USD", description="ISO 4217 code used where a document names none.")
    on_conflict: Literal["hold", "reject"] = Field(
        "hold", description="What happens to an original sent again with other content."
    )
    twin_window_hours: float = Field(
        72, ge=0, description="How far back the same content under another key counts as a twin."
    )


RoutedEntity = Literal[
    "order", "order_change", "order_response", "shipment", "receiving_advice", "tracking",
    "invoice", "remittance", "inventory", "stock_adjustment", "load_tender", "tender_response",
    "application_advice",
]  # fmt: skip
"""Every entity but customers and items, which nobody is told of."""


class Route(Section):
    """Which documents go to which target, and what is done there."""

    entity: RoutedEntity = Field(description="What kind of document.")
    to: Name = Field(description="The target connection.")
    action: str = Field(description="The target's action, such as `create_order`.")
    flow: str = Field(description="The outbound flow: mapping `<entity>.<flow>.jsonata`.")
    when: dict[str, str] = Field(
        default_factory=dict,
        description="Only documents from this `partner` or `connection`, or for an order of this"
        " `customer` (a partner; `*`: anybody's). What answers, announces or bills an order (855, 856,"
        " 810; ORDRSP, DESADV, INVOIC) goes to the target's partner for his own orders alone, unless"
        " a `customer` is named.",
    )
    after: Name | None = Field(
        None, description="Wait until the same document is delivered at this target."
    )


class ControlPoints(Section):
    """The checks before an order is released, in the order given."""

    enabled: tuple[str, ...] = Field(
        (
            "complete",
            "customer_known",
            "customer_not_blocked",
            "items_known",
            "unit_valid",
            "price_in_tolerance",
            "stock_available",
            "ship_method_mapped",
        ),
        description="Which checks run, in this order.",
    )
    reference: Name = Field(description="The connection whose customers, items and stock count.")
    price_tolerance_percent: Decimal = Field(
        Decimal(2),
        ge=0,
        description="How far a price may be off the price list; the larger of"
        " this and the amount counts.",
    )
    price_tolerance_amount: Decimal = Field(
        Decimal("0.01"), ge=0, description="The same per base unit, in the order's currency."
    )
    ship_methods: dict[str, str] = Field(
        default_factory=dict, description="The sender's ship method -> ours."
    )
    default_ship_method: str | None = Field(None, description="Used where the order names none.")


class Reconcile(Section):
    """When a difference becomes a finding, whose it is, and what is done about it."""

    ship_not_invoiced_after_seconds: float = Field(
        86_400, ge=0, description="How long a shipment may go without an invoice."
    )
    invoiced_not_shipped_after_seconds: float = Field(
        86_400, ge=0, description="How long an invoice may be ahead of its shipment."
    )
    not_acknowledged_after_seconds: float = Field(
        14_400, ge=0, description="How long an order may go without the target's yes."
    )
    purchasing: tuple[Name, ...] = Field(
        (), description="Connections whose orders are our own purchase orders."
    )
    answering: tuple[Name, ...] = Field(
        (),
        description="Connections that answer every order sent to them (855, ORDRSP); one that does"
        " not in time, or rejects, is found as not acknowledged.",
    )
    supplier_invoice_after_seconds: float = Field(
        2_592_000, ge=0, description="How long a supplier may take to bill what was received."
    )
    not_shipped_days: int = Field(
        1, ge=0, description="Days after the day to ship before an order counts as late."
    )
    stuck_after_seconds: float = Field(
        14_400, ge=0, description="How long a document may be under way before it counts as stuck."
    )
    change_without_order_after_seconds: float = Field(
        86_400, ge=0, description="How long a change may be parked without its order."
    )
    quantity_tolerance_percent: Decimal = Field(
        Decimal(0), ge=0, description="How far beyond the order a line may be shipped."
    )
    price_tolerance_percent: Decimal = Field(
        Decimal(1),
        ge=0,
        description="How far an invoiced price may be off the ordered one; the larger of this and"
        " the amount counts.",
    )
    price_tolerance_amount: Decimal = Field(
        Decimal("0.01"), ge=0, description="The same per unit, in the order's currency."
    )
    warehouses: dict[str, str] = Field(
        default_factory=dict,
        description="Connection that counts stock -> its site in the ERP (`*`: as it says itself).",
    )
    inventory_tolerance_units: Decimal = Field(
        Decimal(1), ge=0, description="Difference in stock that is none; the larger counts."
    )
    inventory_tolerance_percent: Decimal = Field(
        Decimal(1), ge=0, description="The same in percent of what the ERP says."
    )
    inventory_settled_seconds: float = Field(
        3600, ge=0, description="How long neither side may have moved before stock is compared."
    )
    packs: dict[str, dict[str, Decimal]] = Field(
        default_factory=dict,
        description="Item number (`*`: every item) -> unit -> how many pieces it holds.",
    )
    owners: dict[str, str] = Field(
        default_factory=dict, description="Job -> who its findings belong to at first."
    )
    resend_flows: tuple[str, ...] = Field(
        (), description="Flows that are sent again when nobody acknowledged them, such as `810`."
    )
    window_days: int = Field(90, ge=1, description="How far back a sweep looks.")
    sweep_every_seconds: float = Field(
        86_400, gt=0, description="How often a run looks at the whole window, not only at news."
    )
    every_seconds: float = Field(300, gt=0, description="How long to wait between two runs.")
    heal: bool = Field(default=True, description="Re-drive what policy allows.")


Role = Literal["viewer", "operator", "approver", "admin"]
"""What a caller may do; each may all that those before it may."""


class DeadLetters(Section):
    """What people may do about dead letters, and how fast."""

    replay_per_second: float = Field(
        20.0, gt=0, le=1000, description="How many letters a replay job begins a second."
    )
    approve_above_letters: int | None = Field(
        None, ge=0, description="A replay of more letters needs a second person's approval."
    )
    approve_above_value: Decimal | None = Field(
        None,
        ge=0,
        description="So does a replay or an edit of documents worth more, in any one currency.",
    )
    edit_roles: tuple[Role, ...] = Field(
        (), description="Who may correct a document before its replay; empty: nobody."
    )
    shell_role: Role = Field(
        "admin", description="As what the commands of a shell act: whoever has one has the ledger."
    )
    retention_days: int = Field(
        365, ge=1, description="How long an archived letter is kept before it may be purged."
    )


class Retention(Section):
    """How long what is at rest is kept; without a number, for ever. What waits for somebody stays."""

    archive_days: int | None = Field(
        None, ge=1, description="The bytes of what came and of what was sent."
    )
    documents_days: int | None = Field(
        None,
        ge=365,
        description="Documents with their receipts, deliveries and holds; for a year they tell a"
        " repeated order from a new one.",
    )
    exchanges_days: int | None = Field(
        None, ge=30, description="AS2 Message-IDs with their receipts, names of files that we left."
    )
    audit_days: int | None = Field(None, ge=365, description="The audit trail.")
    every_seconds: float = Field(86_400, gt=0, description="How long to wait between two runs.")


class Site(Section):
    """The whole configuration of one hub."""

    data_dir: LocalPath = Field(
        Path(".crossdock"),
        validate_default=True,
        description="Embedded servers, archive, run files; a relative one counts from this file's"
        " folder. `{data_dir}` in any text stands for it.",
    )
    servers: Servers = Servers()
    streams: StreamLimits = StreamLimits()
    http: Http = Http()
    workers: Workers = Workers()
    retry: Retry = Retry()
    control_points: ControlPoints
    reconcile: Reconcile = Reconcile()
    dead_letters: DeadLetters = DeadLetters()
    retention: Retention = Retention()
    partners: dict[Name, Partner] = Field(description="Partners by our name for them.")
    connections: dict[Name, Connection] = Field(description="Connections by our name for them.")
    mappings: LocalPath | None = Field(
        None,
        description="The site's own mappings, `SYSTEM/FLOW.ENTITY.jsonata`: each replaces the "
        "shipped one of its name. `crossdock map promote` writes here.",
    )
    routes: tuple[Route, ...] = Field((), description="A document takes every route that fits it.")
    api_tokens: dict[str, str] = Field(
        default_factory=dict, description="Name of a caller -> its token, as `env:` or `file:`."
    )
    api_roles: dict[str, Role] = Field(
        default_factory=dict, description="Name of a caller -> its role; others are viewers."
    )
    otlp_endpoint: str | None = Field(None, description="OTLP/HTTP collector for traces.")
