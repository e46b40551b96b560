"""The client on the stub that connector authors get: signing in, pages, throttling, lost answers."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from canonical.errors import HubError, InDoubt, Rejected, Retryable
from connectors.business_central.client import BusinessCentralClient
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.poller import BusinessCentralPoller
from hub.contracts.stubs import vendor
from hub.contracts.stubs.business_central import BusinessCentralStub
from tests.support.business_central import ORDER, REFERENCE, ManualClock, outbound

CREATE = outbound("create_order", ORDER)


@pytest.fixture
def config(business_central_stub: BusinessCentralStub) -> BusinessCentralConfig:
    return BusinessCentralConfig.model_validate(business_central_stub.options)


@pytest.fixture
def client(config: BusinessCentralConfig) -> BusinessCentralClient:
    return BusinessCentralClient(config, clocks=ManualClock().clocks())


async def test_an_order_is_created_once_signed_in(
    business_central_stub: BusinessCentralStub, client: BusinessCentralClient
) -> None:
    settled = await client.deliver(CREATE)
    assert (settled.external_id, settled.facts["number"]) == ("order-1", "SO-0001")
    (effect,) = business_central_stub.effects
    assert (effect.method, effect.path) == ("POST", "/salesOrders")
    assert effect.body["externalDocumentNumber"] == REFERENCE
    assert business_central_stub.signed_in == 1


async def test_a_token_that_was_revoked_is_replaced_once(
    business_central_stub: BusinessCentralStub, client: BusinessCentralClient
) -> None:
    assert await client.look_up(CREATE) is None
    business_central_stub.revoke()
    await client.deliver(CREATE)
    assert business_central_stub.signed_in == 2
    assert len(business_central_stub.effects) == 1


async def test_an_answer_that_is_lost_is_found_by_our_reference(
    business_central_stub: BusinessCentralStub, client: BusinessCentralClient
) -> None:
    business_central_stub.goes_wrong("POST", "/salesOrders", vendor.lost_answer())
    with pytest.raises(InDoubt):
        await client.deliver(CREATE)
    found = await client.look_up(CREATE)
    assert found is not None
    assert found.external_id == "order-1"
    assert len(business_central_stub.effects) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (vendor.throttled(7), (Retryable, "throttled", 0)),
        (vendor.unavailable(), (Retryable, "target_unavailable", 0)),
        (vendor.unreachable(), (Retryable, "connection_failed", 0)),
        (vendor.unavailable(502), (InDoubt, "answer_lost", 0)),
        (vendor.lost_call(), (InDoubt, "answer_lost", 0)),
        (vendor.login_page(), (InDoubt, "not_the_api", 0)),
        (vendor.cut_short(), (InDoubt, "not_the_api", 1)),
        (
            vendor.refused(400, BusinessCentralStub.error("Internal_RecordNotFound", "No C10010")),
            (Rejected, "unknown_at_target", 0),
        ),
    ],
    ids=[
        "throttled", "unavailable", "unreachable", "bad_gateway", "lost_call", "login_page",
        "cut_short", "refused",
    ],
)  # fmt: skip
async def test_every_way_to_go_wrong_is_an_error_by_action(
    business_central_stub: BusinessCentralStub,
    client: BusinessCentralClient,
    fault: vendor.Fault,
    expected: tuple[type[HubError], str, int],
) -> None:
    kind, code, effects = expected
    business_central_stub.goes_wrong("POST", "/salesOrders", fault)
    with pytest.raises(kind) as raised:
        await client.deliver(CREATE)
    assert raised.value.code == code
    assert len(business_central_stub.effects) == effects


async def test_all_pages_of_a_collection_come(
    business_central_stub: BusinessCentralStub, config: BusinessCentralConfig
) -> None:
    stamp = "2026-05-05T10:00:00Z"
    rows = [{"number": str(n), "lastModifiedDateTime": stamp} for n in range(5)]
    business_central_stub.collection("customers", rows)
    poller = BusinessCentralPoller(config, clocks=ManualClock().clocks())
    found = [json.loads(page.body)["value"] async for page in poller.poll("customers", "")]
    assert [[row["number"] for row in page] for page in found] == [["0", "1"], ["2", "3"], ["4"]]


def test_nothing_that_runs_needs_the_stubs_library() -> None:
    program = "import sys, hub.app, hub.contracts.plugin; sys.exit('respx' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], check=False)  # our own
    assert ended.returncode == 0
