"""The pool: order, chunks, deaths and deadlines. Only the culprit is lost, and nobody hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace

import orjson
import psutil
import pytest

from canonical.errors import ConfigError, Rejected, Retryable
from connectors.base import Receipt
from connectors.registry import CONNECTORS
from hub.app import MAPPINGS
from hub.settings.model import Workers
from hub.workers.jobs import EncodeJob, Failed, Given, Normalized, NormalizeResult, RenderJob
from hub.workers.messages import Settings
from hub.workers.pool import WorkerPool
from hub.workers.progress import NoProgress
from hub.workers.reading import normalize
from hub.workers.spec import WorkerSpec, worker_spec
from hub.workers.tools import Tools
from hub.workers.worker import Worker, WorkerGone
from tests.bench.orders import receipts as bench_orders
from tests.bench.site import site
from tests.support.paper import (
    ORDER,
    paper_mapping,
    paper_numbers,
    paper_order,
    paper_receipt,
    paper_spec,
)
from tests.support.waiting import wait_for

SETTINGS = Workers(processes=2, deadline_seconds=0.3)
LOOP = "($f := function($n) { $f($n) }; $f(1))"
"""The engine itself stops this after 0.5 s: later than the deadline here."""


pytestmark = pytest.mark.asyncio(loop_scope="module")


def receipts(count: int, **bad: Receipt) -> list[Receipt]:
    made = [paper_receipt(paper_order(po=f"PO{i}"), identifier=str(i)) for i in range(count)]
    for place, receipt in bad.items():
        made[int(place[1:])] = receipt
    return made


def outcome(result: NormalizeResult) -> list[str]:
    return [
        document.error.code if isinstance(document, Failed) else str(document.number)
        for document in result.documents
        if isinstance(document, Normalized | Failed)
    ]


async def test_results_come_in_the_order_of_the_receipts(pool: WorkerPool) -> None:
    before = pool.restarts
    results = await pool.normalize(receipts(100))
    assert [outcome(each) for each in results] == [[f"PO{i}"] for i in range(100)]
    assert pool.restarts == before


async def test_nothing_to_do_is_done_at_once(pool: WorkerPool) -> None:
    assert await pool.normalize([]) == []


async def test_callers_share_the_workers(pool: WorkerPool) -> None:
    batches = await asyncio.gather(*(pool.normalize(receipts(40)) for _ in range(5)))
    assert all([outcome(r) for r in batch] == [[f"PO{i}"] for i in range(40)] for batch in batches)


async def test_all_that_a_codec_says_arrives() -> None:
    spec = worker_spec(site(1), CONNECTORS, MAPPINGS)
    received = list(bench_orders(0, 3))
    async with WorkerPool(spec, Workers(processes=1)) as workers:
        results = await workers.normalize(received)
    given = Given(2.0, NoProgress(), {})
    assert results == normalize(Tools(spec), [(each, given) for each in received])
    assert all(each.documents and each.answers and each.interchanges for each in results)


async def test_documents_are_rendered_and_encoded(pool: WorkerPool) -> None:
    job = RenderJob("desk", "order", "note", b'{"po_number":"1"}', {}, paper_numbers())
    made = await pool.render(job)
    assert made.encoded == b'note 7 {"title": "1"}'
    encoded = await pool.encode(EncodeJob("desk", "note", {"a": "b"}, paper_numbers()))
    assert encoded == b'note 7 {"a": "b"}'


async def test_errors_by_action_come_back_as_they_were_raised(pool: WorkerPool) -> None:
    job = EncodeJob("desk", "note", {"refuse": True}, paper_numbers())
    with pytest.raises(Rejected) as rejected:
        await pool.encode(job)
    assert (rejected.value.code, rejected.value.where) == ("body_refused", "refuse")
    with pytest.raises(ConfigError):
        await pool.encode(job._replace(connection="nobody"))


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("loop", "worker_timeout"),
        ("sleep", "worker_timeout"),
        ("die", "worker_died"),
        ("exit", "worker_died"),
        ("memory", "worker_memory"),
        ("raise", "internal_error"),
    ],
)
async def test_only_the_receipt_that_misbehaves_is_lost(
    pool: WorkerPool, how: str, code: str
) -> None:
    batch = receipts(40, _7=paper_receipt(misbehave=how))
    results = await pool.normalize(batch)
    assert outcome(results[7]) == [code]
    others = [outcome(each) for place, each in enumerate(results) if place != 7]
    assert others == [[f"PO{i}"] for i in range(40) if i != 7]


async def test_what_lay_behind_a_death_in_the_same_worker_is_blamed_for_nothing() -> None:
    poison = {"_3": paper_receipt(misbehave="die"), "_40": paper_receipt(misbehave="loop")}
    async with WorkerPool(paper_spec(), SETTINGS.model_copy(update={"processes": 1})) as alone:
        results = await alone.normalize(receipts(100, **poison))
    expected = [[f"PO{i}"] for i in range(100)]
    expected[3], expected[40] = ["worker_died"], ["worker_timeout"]
    assert [outcome(each) for each in results] == expected


async def test_who_is_free_is_given_work_before_who_has_some() -> None:
    patient = Workers(processes=2, deadline_seconds=60)
    async with WorkerPool(paper_spec(), patient) as workers:
        long = asyncio.create_task(workers.normalize([paper_receipt(misbehave="sleep")]))
        await wait_for(lambda: workers.working, what="a worker at work")
        (short,) = await workers.normalize(receipts(1))
        assert outcome(short) == ["PO0"]
        assert not long.done()
        long.cancel()


async def test_only_the_document_that_misbehaves_is_lost() -> None:
    """Its neighbours in the same receipt are mapped, and its own place says which it was."""
    async with WorkerPool(paper_spec(bad=LOOP), SETTINGS) as workers:
        receipt = paper_receipt(
            paper_order(po="1"), {"flow": "bad", "body": {}}, paper_order(po="3")
        )
        (result,) = await workers.normalize([receipt])
    assert outcome(result) == ["1", "worker_timeout", "3"]
    failed = result.documents[1]
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.position) == ("map", 1)
    assert failed.error.where == "mappings/paper/bad.order.jsonata"


async def test_a_target_document_that_costs_a_worker_is_refused(pool: WorkerPool) -> None:
    job = EncodeJob("desk", "note", {"misbehave": "loop"}, paper_numbers())
    with pytest.raises(Rejected) as rejected:
        await pool.encode(job)
    assert (rejected.value.code, rejected.value.where) == ("worker_timeout", "connections.desk")
    assert await pool.encode(job._replace(body={})) == b"note 7 {}"


async def test_a_worker_killed_from_outside_costs_no_document(pool: WorkerPool) -> None:
    """The machine may kill a worker for reasons of its own: the suspect is tried again, alone."""
    before, victims = pool.restarts, set(pool.pids)
    task = asyncio.create_task(pool.normalize(receipts(400)))
    await asyncio.sleep(0)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    results = await task
    assert [outcome(each) for each in results] == [[f"PO{i}"] for i in range(400)]
    assert pool.restarts > before
    assert not victims & pool.pids


async def test_the_pool_heals(pool: WorkerPool) -> None:
    before = pool.pids
    await pool.normalize(receipts(4, _1=paper_receipt(misbehave="die")))
    await wait_for(lambda: len(pool.pids) == 3, what="three workers again")
    assert pool.pids != before
    results = await pool.normalize(receipts(40))
    assert [outcome(each) for each in results] == [[f"PO{i}"] for i in range(40)]


async def test_a_receipt_full_of_poison_is_given_up_as_a_whole() -> None:
    limits = SETTINGS.model_copy(update={"processes": 1})
    async with WorkerPool(paper_spec(bad=LOOP), limits) as workers:
        poison = [{"flow": "bad", "body": {}}] * 50
        (result,) = await workers.normalize([paper_receipt(*poison)])
        assert workers.restarts < 20
    assert outcome(result) == ["worker_timeout"]


async def test_a_worker_that_has_grown_is_replaced_between_two_chunks() -> None:
    body = orjson.dumps({"documents": [paper_order(po="big")], "misbehave": "leak"})
    grown = replace(paper_receipt(), body=body)
    async with WorkerPool(paper_spec(), Workers(processes=1, memory_mb=128)) as workers:
        assert outcome((await workers.normalize([grown]))[0]) == ["big"]
        await wait_for(lambda: workers.restarts == 1, what="the worker was replaced")
        assert outcome((await workers.normalize(receipts(1)))[0]) == ["PO0"]


async def test_nobody_waits_for_ever_where_no_worker_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hub.workers.pool._RESTART_SECONDS", (0.0, 0.0, 0.0))
    async with WorkerPool(paper_spec(), SETTINGS) as workers:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        for pid in workers.pids:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(Retryable) as error:
            await workers.normalize(receipts(10))
        assert error.value.code == "workers_unavailable"
        monkeypatch.undo()
        results = await workers.normalize(receipts(10))
    assert [outcome(each) for each in results] == [[f"PO{i}"] for i in range(10)]


async def test_a_caller_that_gives_up_leaves_no_work_behind(pool: WorkerPool) -> None:
    task = asyncio.create_task(pool.normalize(receipts(2000)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outcome((await pool.normalize(receipts(1)))[0]) == ["PO0"]


async def test_a_worker_that_dies_by_chance_while_the_pool_starts_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, deaths = Worker.start, iter([WorkerGone(), WorkerGone()])

    async def unlucky(spec: WorkerSpec, settings: Settings) -> Worker:
        for death in deaths:
            raise death
        return await start(spec, settings)

    monkeypatch.setattr(Worker, "start", unlucky)
    async with WorkerPool(paper_spec(), SETTINGS) as workers:
        assert [outcome(each) for each in await workers.normalize(receipts(3))] == [
            ["PO0"],
            ["PO1"],
            ["PO2"],
        ]


async def test_where_no_worker_starts_the_pool_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def doomed(_spec: WorkerSpec, _settings: Settings) -> Worker:
        raise WorkerGone

    monkeypatch.setattr(Worker, "start", doomed)
    with pytest.raises(ConfigError, match="workers_unavailable"):
        await WorkerPool(paper_spec(), SETTINGS).__aenter__()


async def test_a_spec_that_cannot_work_is_said_at_the_start() -> None:
    spec = paper_spec()
    broken = replace(spec, mappings=(paper_mapping("order.order", '{"a": ,}'),))
    with pytest.raises(ConfigError) as error:
        async with WorkerPool(broken, SETTINGS):
            pass
    assert error.value.code == "mapping_syntax"


async def test_closing_leaves_no_process_behind() -> None:
    async with WorkerPool(paper_spec(), SETTINGS) as workers:
        pids = workers.pids
        assert len(pids) == 3
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize("count", [1, 100])
async def test_closing_in_the_middle_cancels_who_waits(count: int) -> None:
    settings = SETTINGS.model_copy(update={"deadline_seconds": 3600})
    async with WorkerPool(paper_spec(), settings) as workers:
        receipts = [paper_receipt(misbehave="sleep")] * count
        task = asyncio.create_task(workers.normalize(receipts))
        await wait_for(lambda: workers.working, what="a worker at work")
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_worker_lets_the_hub_and_its_servers_go_first(pool: WorkerPool) -> None:
    ours = os.nice(0)
    assert all(psutil.Process(pid).nice() > ours for pid in pool.pids)


async def test_workers_know_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "not-for-workers")
    async with WorkerPool(paper_spec(), SETTINGS) as workers:
        environments = [psutil.Process(pid).environ() for pid in workers.pids]
    assert environments
    assert all("SHOP_SECRET" not in environment for environment in environments)


@pytest.mark.skipif(sys.platform != "linux", reason="address spaces are limited on Linux only")
async def test_the_engine_does_not_reserve_the_memory_that_a_bomb_would_use(
    pool: WorkerPool,
) -> None:
    """Imported without a limit, jsonatapy reserves a gigabyte."""
    sizes = [psutil.Process(pid).memory_info().vms for pid in pool.pids]
    assert max(sizes) < 700_000_000


async def test_a_respawned_worker_has_the_mappings_of_the_start(pool: WorkerPool) -> None:
    """The files may have changed on disk by then; one hub maps with one version."""
    first = (await pool.normalize(receipts(1)))[0].documents[0]
    await pool.normalize([paper_receipt(misbehave="die")])
    second = (await pool.normalize(receipts(1)))[0].documents[0]
    assert isinstance(first, Normalized)
    assert isinstance(second, Normalized)
    assert first.mapping_version == second.mapping_version
    assert ORDER.startswith("{")


async def test_results_are_plain_values(pool: WorkerPool) -> None:
    (result,) = await pool.normalize(receipts(1))
    document = result.documents[0]
    assert isinstance(document, Normalized)
    assert orjson.loads(document.canonical_json)["po_number"] == "PO0"
