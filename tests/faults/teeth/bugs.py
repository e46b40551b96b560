"""Seeded bugs: each the way a hub like this one goes wrong, with the test that must catch it.

A patch takes a freshly loaded module and breaks it. Nothing here is imported by the product or by
ordinary tests; `sitecustomize.py` applies one bug to a process that asks for it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

INTEGRATION, UNIT = "tests/integration", "tests/unit"
KILLS = f"{INTEGRATION}/test_kill_boundaries.py::test_"
OUTCOMES = f"{INTEGRATION}/delivery/test_outcomes.py::test_"
ORDER = f"{INTEGRATION}/delivery/test_order.py::test_"
PIPELINE = f"{INTEGRATION}/test_pipeline.py::test_"
STREAMS = f"{INTEGRATION}/test_streams.py::test_"


@dataclass(frozen=True, slots=True)
class Bug:
    """What is broken, where, and which test shows it."""

    what: str
    module: str
    patch: Callable[[Any], None]
    caught_by: str


def _ack_before_commit(module: Any) -> None:
    role = module.NormalizeRole
    read = role._read  # noqa: SLF001

    async def eager(self: Any, messages: list[Any]) -> Any:
        for message in messages:
            await message.ack()
            message._ackd = False  # noqa: SLF001  # so that the later ack does not complain
        return await read(self, messages)

    role._read = eager  # noqa: SLF001


def _message_id_is_the_key(module: Any) -> None:
    first = module.event_id
    module.event_id = lambda key, _content, _verb, _version: first(key, "", "", 0)


def _redis_is_the_authority(module: Any) -> None:
    async def believe(self: Any, receipt: Any) -> Any:
        found = await self.seen.find(receipt)
        return None if found == receipt.id else found

    module.Door._first = believe  # noqa: SLF001


def _default_ack_policy(module: Any) -> None:
    async def reject_on_error(_self: Any, handle: Any, messages: list[Any]) -> None:
        try:
            await handle(messages)
        except Exception:
            for message in messages:
                await message.term()
            raise

    module.PullRunner._handle = reject_on_error  # noqa: SLF001


def _no_doubt(module: Any) -> None:
    async def begin(_conn: Any, calls: Any) -> list[bool]:
        return [True for _ in calls]

    module.begin = begin


def _blind_resend(module: Any) -> None:
    module.Courier._must_ask = lambda *_: False  # noqa: SLF001


def _retry_at_once(module: Any) -> None:
    module._at = lambda _error, attempt, _policy: attempt.now  # noqa: SLF001


def _retry_after_ignored(module: Any) -> None:
    module._retry_after = lambda *_: None  # noqa: SLF001


def _work_queue(module: Any) -> None:
    streams = module.streams

    def broken(*given: Any) -> Any:
        queue = module.RetentionPolicy.WORK_QUEUE
        return [
            replace(one, retention=queue) if one.name == module.INTAKE else one
            for one in streams(*given)
        ]

    module.streams = broken


def _discard_old(module: Any) -> None:
    streams = module.streams
    module.streams = lambda *given: [
        replace(one, discard=module.DiscardPolicy.OLD) for one in streams(*given)
    ]


def _any_ledgers_streams(module: Any) -> None:
    module.LEDGER_KEY = "crossdock-other"
    streams = module.streams
    module.streams = lambda _ledger, *rest: streams("the same for all", *rest)
    declare = module.declare

    async def broken(js: Any, _ledger: str, sizes: Any) -> None:
        await declare(js, "the same for all", sizes)

    module.declare = broken


def _poisoned_key_is_skipped(module: Any) -> None:
    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    module._obstacles = nothing  # noqa: SLF001


def _no_fencing(module: Any) -> None:
    for name in ("_BEGIN", "_ANSWERED"):
        statement = getattr(module, name)
        setattr(module, name, statement.replace(module._FENCE, "true"))  # noqa: SLF001


def _no_heartbeat(module: Any) -> None:
    async def never(self: Any) -> None:  # noqa: ARG001
        await asyncio.Event().wait()

    module.DeliverRole._renew_leases = never  # noqa: SLF001


def _inbox_forgets(module: Any) -> None:
    admit = module.admit

    async def all_new(connection: Any, rows: Any) -> set[str]:
        await admit(connection, rows)
        return {row["id"] for row in rows}

    module.admit = all_new


def _yes_before_it_is_stored(module: Any) -> None:
    save = module.ReceiptStore.save
    kept: set[Any] = set()

    async def hasty(self: Any, receipt: Any) -> None:
        task = asyncio.create_task(save(self, receipt))
        task.add_done_callback(lambda done: done.exception())
        kept.add(task)

    module.ReceiptStore.save = hasty


def _file_moved_before_it_is_stored(module: Any) -> None:
    async def take_in(self: Any, drop: Any) -> None:
        await self._finish(drop.file.name, "done", "", drop.file.identity)
        await self._door.accept(drop.receipt)

    module.FolderIntake._take_in = take_in  # noqa: SLF001


def _outbox_forgotten_first(module: Any) -> None:
    async def publish(self: Any, events: list[Any]) -> None:
        async with self._engine.begin() as connection:
            await module.outbox.forget(connection, [event.event_id for event in events])
        await self._publisher.publish([event.outgoing() for event in events])

    module.Relay._publish = publish  # noqa: SLF001


def _no_relay_loop(module: Any) -> None:
    async def run(self: Any, stop: Any) -> None:  # noqa: ARG001
        await stop.wait()

    module.Relay.run = run


def _never_quarantined(module: Any) -> None:
    module._DEATHS = 10**9  # noqa: SLF001


def _twins_not_guarded(module: Any) -> None:
    async def nobody(*_: Any) -> None:
        return

    module.guard = nobody


def _conflict_is_a_change(module: Any) -> None:
    judge = module.judge

    def lenient(**given: Any) -> Any:
        verdict = judge(**given)
        conflict = verdict is module.Verdict.CONFLICT
        return module.Verdict.CHANGE if conflict else verdict

    module.judge = lenient


def _late_change_is_applied(module: Any) -> None:
    judge = module.judge

    def lenient(**given: Any) -> Any:
        verdict = judge(**given)
        return module.Verdict.CHANGE if verdict is module.Verdict.STALE else verdict

    module.judge = lenient


def _last_key_wins(module: Any) -> None:
    module._DECODER = module.json.JSONDecoder(  # noqa: SLF001
        parse_int=module._integer,  # noqa: SLF001
        parse_float=module._decimal,  # noqa: SLF001
        parse_constant=module._constant,  # noqa: SLF001
    )


def _signature_compared_as_text(module: Any) -> None:
    def matches(given: Any, expected: Any) -> bool:
        return any(
            module.hmac.compare_digest(one.decode("utf-8", "surrogateescape"), want.decode())
            for want in expected
            for one in given
        )

    module._matches_any = matches  # noqa: SLF001


def _no_replay_window(module: Any) -> None:
    module.WINDOW_SECONDS = 10**9


def _links_are_followed(module: Any) -> None:
    module.READ &= ~os.O_NOFOLLOW


def _throttling_is_failure(module: Any) -> None:
    health = module.Health
    health.throttled = lambda self, leave, _retry_after: health.failed(self, leave)


def _audit_without_reason(module: Any) -> None:
    whole = module._hash  # noqa: SLF001
    module._hash = lambda row: whole({**row, "reason": ""})  # noqa: SLF001


def _anything_is_logged(module: Any) -> None:
    module._allow = lambda _logger, _method, event: event  # noqa: SLF001


def _partner_may_take_the_file_twice(module: Any) -> None:
    module.FolderClient._look_up = lambda *_: None  # noqa: SLF001


NORMALIZER, RELAY = "hub.normalizer", "hub.relay"
TOPOLOGY, CALLS = "hub.topology", "hub.ledger.calls"
WEBHOOK, VERDICT = "connectors.transports.webhook", "canonical.verdict"
RECOVERY = "hub.delivery.recovery"

BUGS: dict[str, Bug] = {
    "ack_before_commit": Bug(
        "receipts are acknowledged before they are decided",
        NORMALIZER,
        _ack_before_commit,
        f"{KILLS}8_killed_with_a_full_batch_in_hand_all_of_it_comes_back_and_order_per_key_is_kept",
    ),
    "message_id_is_the_key": Bug(
        "Nats-Msg-Id is the business key: changed content vanishes as a duplicate",
        "canonical.identity",
        _message_id_is_the_key,
        f"{UNIT}/canonical/test_identity.py::"
        "test_the_same_fact_has_the_same_event_id_and_another_fact_another",
    ),
    "redis_is_the_authority": Bug(
        "what Redis has seen is believed without asking the ledger",
        "hub.intake.door",
        _redis_is_the_authority,
        "tests/faults/test_accelerator.py::test_23_what_only_redis_has_seen_is_taken_in_all_the_same",
    ),
    "default_ack_policy": Bug(
        "one exception of a handler and the message is gone (REJECT_ON_ERROR)",
        "hub.runner",
        _default_ack_policy,
        "tests/faults/test_redelivery.py::"
        "test_a_message_whose_handler_raised_comes_again_although_nobody_gave_it_back",
    ),
    "no_doubt": Bug(
        "a call is made without a word in the ledger that its outcome may be lost",
        CALLS,
        _no_doubt,
        f"{KILLS}6_killed_after_the_call_the_target_is_asked_and_not_called_again",
    ),
    "blind_resend": Bug(
        "after a lost answer it is sent again, and nobody asks the target",
        "hub.delivery.courier",
        _blind_resend,
        f"{OUTCOMES}a_lost_answer_is_asked_about_and_found",
    ),
    "retry_at_once": Bug(
        "a failed try is repeated without a wait",
        RECOVERY,
        _retry_at_once,
        f"{UNIT}/hub/delivery/test_recovery.py::test_the_decision_is_the_one_of_the_table",
    ),
    "retry_after_ignored": Bug(
        "the target's Retry-After is not heard",
        RECOVERY,
        _retry_after_ignored,
        f"{OUTCOMES}retry_after_is_waited_for",
    ),
    "work_queue": Bug(
        "work-queue retention: a restart of NATS forgets which ids it has seen",
        TOPOLOGY,
        _work_queue,
        "tests/faults/test_forgetting.py::"
        "test_12_a_message_that_was_acknowledged_is_still_known_after_a_restart_of_nats",
    ),
    "discard_old": Bug(
        "a full stream drops what nobody has processed",
        TOPOLOGY,
        _discard_old,
        f"{STREAMS}a_full_stream_refuses_and_loses_nothing_that_it_holds",
    ),
    "any_ledgers_streams": Bug(
        "streams of another ledger are taken over",
        TOPOLOGY,
        _any_ledgers_streams,
        f"{STREAMS}streams_of_another_ledger_are_not_taken_over",
    ),
    "poisoned_key_is_skipped": Bug(
        "a change overtakes its dead original",
        "hub.ledger.deliveries",
        _poisoned_key_is_skipped,
        f"{ORDER}a_dead_original_holds_its_changes_back_and_other_keys_go_on",
    ),
    "no_fencing": Bug(
        "whoever comes back after a takeover settles all the same",
        CALLS,
        _no_fencing,
        f"{ORDER}whoever_comes_back_after_a_takeover_changes_nothing",
    ),
    "no_heartbeat": Bug(
        "claims are not kept alive while their holder works",
        "hub.delivery.role",
        _no_heartbeat,
        f"{ORDER}a_claim_is_kept_alive_while_its_holder_works",
    ),
    "inbox_forgets": Bug(
        "a receipt that NATS delivers again is decided again",
        "hub.ledger.inbox",
        _inbox_forgets,
        f"{PIPELINE}a_receipt_that_is_delivered_again_changes_nothing",
    ),
    "yes_before_it_is_stored": Bug(
        "the sender hears yes before the PubAck",
        "hub.intake.store",
        _yes_before_it_is_stored,
        f"{UNIT}/hub/intake/test_store.py::"
        "test_everybody_who_waits_hears_no_and_those_who_come_later_are_served",
    ),
    "file_moved_first": Bug(
        "a file is moved to done/ before it is stored",
        "hub.intake.folder",
        _file_moved_before_it_is_stored,
        f"{KILLS}1_killed_with_a_file_read_it_stays_in_the_inbox_and_is_taken_once",
    ),
    "outbox_forgotten_first": Bug(
        "outbox rows are deleted before NATS has the events",
        RELAY,
        _outbox_forgotten_first,
        f"{INTEGRATION}/test_relay.py::test_without_nats_the_events_stay_in_the_outbox",
    ),
    "no_relay_loop": Bug(
        "nobody publishes what a dead hub left in the outbox",
        RELAY,
        _no_relay_loop,
        f"{INTEGRATION}/test_relay.py::test_events_that_a_dead_hub_left_behind_are_published_once",
    ),
    "never_quarantined": Bug(
        "a receipt that kills its process is tried for ever",
        NORMALIZER,
        _never_quarantined,
        f"{INTEGRATION}/test_normalizer.py::"
        "test_what_was_in_hand_at_two_deaths_is_quarantined_with_its_bytes",
    ),
    "twins_not_guarded": Bug(
        "two replicas that decide twins at once accept both",
        "hub.ledger.keys",
        _twins_not_guarded,
        f"{INTEGRATION}/test_guard.py::test_nobody_passes_who_guards_one_of_the_same_names",
    ),
    "conflict_is_a_change": Bug(
        "other content under the same number silently replaces the order",
        VERDICT,
        _conflict_is_a_change,
        f"{UNIT}/hub/normalize/test_decide.py::"
        "test_other_content_under_the_same_key_is_a_conflict_and_delivers_nothing",
    ),
    "late_change_is_applied": Bug(
        "an older change that comes late undoes a newer one",
        VERDICT,
        _late_change_is_applied,
        f"{UNIT}/hub/normalize/test_decide.py::test_an_older_change_is_stale_and_has_no_effect",
    ),
    "last_key_wins": Bug(
        "of two equal keys in a JSON object the last one counts",
        "connectors.json_body",
        _last_key_wins,
        f"{UNIT}/connectors/test_json_body.py::test_a_bad_body_is_refused_with_a_code_and_a_place",
    ),
    "signature_compared_as_text": Bug(
        "a signature that is not ASCII makes an error of ours",
        WEBHOOK,
        _signature_compared_as_text,
        "tests/contract/test_webhooks.py::"
        "test_a_forged_signature_is_refused_and_never_an_error_of_ours",
    ),
    "no_replay_window": Bug(
        "an old genuine call is believed again",
        WEBHOOK,
        _no_replay_window,
        f"{UNIT}/connectors/transports/test_webhook.py::"
        "test_a_genuine_call_outside_the_window_is_a_replay",
    ),
    "links_are_followed": Bug(
        "a symbolic link in the inbox is read",
        "connectors.transports.files",
        _links_are_followed,
        f"{UNIT}/connectors/transports/test_folder.py::"
        "test_a_link_put_in_place_after_the_scan_is_not_followed",
    ),
    "throttling_is_failure": Bug(
        "429 opens the breaker",
        "hub.delivery.health",
        _throttling_is_failure,
        f"{UNIT}/hub/delivery/test_health.py::"
        "test_being_throttled_again_and_again_never_opens_the_breaker",
    ),
    "audit_without_reason": Bug(
        "an edited reason leaves the audit chain whole",
        "hub.ledger.audit",
        _audit_without_reason,
        f"{INTEGRATION}/test_audit.py::test_a_row_that_was_edited_deleted_or_cut_off_is_named",
    ),
    "anything_is_logged": Bug(
        "log lines carry whatever they are given",
        "hub.telemetry.logs",
        _anything_is_logged,
        f"{UNIT}/hub/test_telemetry.py::test_only_allowed_keys_reach_a_log_line",
    ),
    "file_left_twice": Bug(
        "a file that the partner took before we knew is left again",
        "hub.delivery.folder_client",
        _partner_may_take_the_file_twice,
        f"{INTEGRATION}/delivery/test_crash.py::"
        "test_a_file_that_the_partner_took_before_we_knew_is_not_left_again",
    ),
}
