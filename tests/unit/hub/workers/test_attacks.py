"""Mappings that loop, explode or lie: each is refused, and nobody beside it notices."""

from __future__ import annotations

import pytest

from canonical.errors import ConfigError
from hub.mapping.engine import Limits
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.workers.jobs import Failed, Normalized
from hub.workers.pool import WorkerPool
from tests.support.attacks import ATTACKS
from tests.support.paper import paper_order, paper_receipt

pytestmark = pytest.mark.asyncio(loop_scope="module")

_CODES = {
    "canonical_invalid",
    "mapping_failed",
    "mapping_not_decimal",
    "mapping_timeout",
    "mapping_too_large",
    "worker_memory",
    "worker_timeout",
}


def poisoned(flow: str) -> dict[str, object]:
    rows = [{"n": str(i), "of": [{"x": str(j)} for j in range(10)]} for i in range(30)]
    return {"flow": flow, "body": {"text": "a" * 40 + "x" * 34 + "!", "rows": rows}}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
async def test_an_attack_is_refused_and_its_neighbours_are_not(
    attacked: WorkerPool, attack: str
) -> None:
    batch = [
        paper_receipt(paper_order(po="before"), identifier="1"),
        paper_receipt(paper_order(po="same"), poisoned(attack), paper_order(po="receipt")),
        paper_receipt(paper_order(po="after"), identifier="3"),
    ]
    results = await attacked.normalize(batch)
    documents = [document for result in results for document in result.documents]
    good = [document.number for document in documents if isinstance(document, Normalized)]
    assert good == ["before", "same", "receipt", "after"]
    (failed,) = (document for document in documents if isinstance(document, Failed))
    assert failed.error.code in _CODES
    assert (failed.flow, failed.position) == (attack, 1)


async def test_a_document_of_great_depth_is_refused(attacked: WorkerPool) -> None:
    deep = {**paper_order(po="deep"), "nest": 100_000}
    (result,) = await attacked.normalize([paper_receipt(deep, paper_order(po="flat"))])
    failed, flat = result.documents
    assert isinstance(failed, Failed)
    assert failed.error.code == "mapping_too_large"
    assert isinstance(flat, Normalized)


async def test_all_attacks_at_once_leave_a_pool_that_works(attacked: WorkerPool) -> None:
    batch = [
        paper_receipt(poisoned(attack), paper_order(po=attack), identifier=attack)
        for attack in sorted(ATTACKS)
    ]
    results = await attacked.normalize(batch)
    for attack, result in zip(sorted(ATTACKS), results, strict=True):
        failed, good = result.documents
        assert isinstance(failed, Failed)
        assert isinstance(good, Normalized)
        assert good.number == attack


@pytest.mark.parametrize(
    "text",
    ["(" * 5000 + "1" + ")" * 5000, "[" * 5000 + "1" + "]" * 5000, "-" * 50_000 + "1"],
    ids=["parentheses", "arrays", "minus signs"],
)
async def test_an_expression_of_great_depth_does_not_compile(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        JsonatapyMapping(text, "m", Limits())
    assert error.value.code == "mapping_syntax"
