"""Processor time per document and stage, in this process, over one order of twelve lines."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from canonical.identity import content_id
from canonical.order import Order
from connectors.base import Receipt, SourceDocument
from connectors.registry import CONNECTORS
from hub.app import MAPPINGS
from hub.archive import Archive
from hub.events import Subject, canonical_event
from hub.workers.spec import worker_spec
from hub.workers.tools import Tools
from tests.bench import naive
from tests.bench.orders import CONNECTION, RECEIVED_AT, interchange, receipts
from tests.bench.site import site

_EACH = 300
_PASSES = 7


def stages(folder: Path) -> dict[str, float]:
    """Return stage -> CPU microseconds per document, the median of seven passes."""
    tools = Tools(worker_spec(site(1), CONNECTORS, MAPPINGS))
    bound = tools.connection(CONNECTION)
    (compiled,) = tools.library.inbound(bound.system, "850")
    given: list[Receipt] = list(receipts(0, _EACH))
    sources = [bound.codec.decode(receipt).documents[0] for receipt in given]
    documents = [source for source in sources if isinstance(source, SourceDocument)]
    bindings = [
        {**bound.bindings, "control": dict(source.control), "received_on": "2026-11-20"}
        for source in documents
    ]
    bodies = [
        compiled.mapping.written(source.body, binding, textual=source.textual)
        for source, binding in zip(documents, bindings, strict=True)
    ]
    orders = [Order.model_validate_json(body) for body in bodies]
    archive = Archive(folder / "stages")
    raw = [interchange(n) for n in range(_EACH)]
    subject = Subject("id", "order", "released", CONNECTION, "order/acme/1/", "doc", "0" * 64)
    work: dict[str, Callable[[int], object]] = {
        "x12 decode (tokenise, check, tree, 997)": lambda i: bound.codec.decode(given[i]),
        "map (jsonatapy)": lambda i: compiled.mapping.written(
            documents[i].body, bindings[i], textual=documents[i].textual
        ),
        "validate (pydantic)": lambda i: Order.model_validate_json(bodies[i]),
        "content id": lambda i: content_id(orders[i]),
        "dump": lambda i: orders[i].model_dump_json(exclude_none=True),
        "cloud event": lambda i: canonical_event(subject, bodies[i], RECEIVED_AT),
        "archive (batch of 300, one fsync)": lambda i: i or archive.keep(raw, RECEIVED_AT),
        "naive: split and dict": lambda i: naive.parse(raw[i]),
        "naive: map by hand": lambda i: naive.mapped(naive.parse(raw[i])),
    }
    return {name: _measure(step) for name, step in work.items()}


def _measure(step: Callable[[int], object]) -> float:
    passes = []
    for _ in range(_PASSES):
        started = time.process_time()
        for i in range(_EACH):
            step(i)
        passes.append((time.process_time() - started) / _EACH * 1e6)
    return statistics.median(passes)
