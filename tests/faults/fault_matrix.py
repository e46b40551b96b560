"""The fault matrix: 46 rows, each with the tests that show what happens then."""

from __future__ import annotations

from tests.faults.rows import Row, within

KILLS = "integration/test_kill_boundaries.py"
OUTAGES = "integration/test_outages.py"
STREAMS = "integration/test_streams.py"
OUTCOMES = "integration/delivery/test_outcomes.py"
FLOW = "integration/delivery/test_flow.py"
ORDER = "integration/delivery/test_order.py"
CRASH = "integration/delivery/test_crash.py"
PIPELINE = "integration/test_pipeline.py"
BC = "unit/connectors/business_central"

ROWS = (
    Row(
        1,
        "kill -9 of the intake after reading, before storing",
        within(
            KILLS,
            "1_killed_with_a_file_read_it_stays_in_the_inbox_and_is_taken_once",
            "1_killed_with_a_call_read_the_sender_hears_no_yes_and_is_taken_once_when_it_comes_again",
        ),
        campaign=True,
    ),
    Row(
        2,
        "kill -9 of the intake after storing, before the sender hears yes",
        within(
            KILLS,
            "2_killed_with_a_file_stored_and_not_moved_it_is_one_document",
            "2_killed_with_a_call_stored_and_not_answered_its_repeat_is_a_duplicate",
        ),
        campaign=True,
    ),
    Row(
        3,
        "kill -9 between the ledger's commit and the publish",
        within(
            KILLS,
            "3_killed_between_commit_and_publish_the_event_is_published_after_the_restart",
        )
        + within(
            "integration/test_relay.py", "events_that_a_dead_hub_left_behind_are_published_once"
        ),
        campaign=True,
    ),
    Row(
        4,
        "kill -9 after the PubAck, before the outbox row is gone",
        within(KILLS, "4_killed_between_publish_and_forgetting_the_event_is_there_once"),
        campaign=True,
    ),
    Row(
        5,
        "kill -9 before the target is called",
        within(KILLS, "5_killed_before_the_target_is_called_it_is_called_once")
        + within(CRASH, "killed_anywhere_each_document_takes_effect_once"),
        campaign=True,
    ),
    Row(
        6,
        "kill -9 after the call, before the ledger knows",
        within(KILLS, "6_killed_after_the_call_the_target_is_asked_and_not_called_again")
        + within(CRASH, "a_file_that_the_partner_took_before_we_knew_is_not_left_again"),
        campaign=True,
    ),
    Row(
        7,
        "kill -9 after the commit, before the acknowledgement",
        within(
            KILLS,
            "7_killed_after_the_outcome_is_recorded_nothing_is_done_again",
            "7_killed_around_the_acknowledgement_the_receipt_comes_back_without_effect",
        ),
        campaign=True,
    ),
    Row(
        8,
        "kill -9 with a full batch in hand",
        within(
            KILLS,
            "8_killed_with_a_full_batch_in_hand_all_of_it_comes_back_and_order_per_key_is_kept",
        ),
        campaign=True,
    ),
    Row(
        9,
        "a handler takes longer than its acknowledgement may, two replicas",
        within(KILLS, "9_of_two_replicas_one_decides_and_one_delivers_however_slow")
        + within(ORDER, "a_claim_is_kept_alive_while_its_holder_works"),
    ),
    Row(
        10,
        "a hub is stopped beyond its lease, then goes on",
        within(KILLS, "10_a_hub_that_was_stopped_beyond_its_lease_changes_nothing_when_it_goes_on")
        + within(ORDER, "whoever_comes_back_after_a_takeover_changes_nothing"),
        campaign=True,
    ),
    Row(
        11,
        "SIGTERM under load",
        within(KILLS, "11_stopped_under_load_it_gives_back_what_it_holds_and_loses_nothing")
        + within(FLOW, "a_stopping_role_gives_back_what_it_cannot_finish"),
        campaign=True,
    ),
    Row(
        12,
        "kill -9 of nats-server, one node, sync_interval always",
        within(OUTAGES, "without_nats_senders_hear_no_and_files_stay_until_it_is_back")
        + within(
            "faults/test_forgetting.py",
            "12_a_message_that_was_acknowledged_is_still_known_after_a_restart_of_nats",
        ),
        campaign=True,
    ),
    Row(
        13,
        "nats-server down for ten minutes",
        within(
            OUTAGES,
            "without_nats_senders_hear_no_and_files_stay_until_it_is_back",
            "told_to_stop_in_an_outage_the_hub_stops_and_goes_on_after_it",
        ),
    ),
    Row(
        14,
        "the NATS directory is wiped",
        within(
            OUTAGES,
            "streams_that_were_wiped_are_made_again_and_what_comes_then_goes_on",
        )
        + within(
            "integration/test_rebuild.py",
            "a_wiped_stream_is_filled_with_the_same_events",
            "the_ledger_and_its_deliveries_are_not_touched",
        )
        + within(
            "faults/test_forgetting.py",
            "14_a_wiped_nats_gets_its_streams_again_and_takes_messages",
        ),
        "restored from yesterday; receipts that were stored and not yet decided are lost by design",
        campaign=True,
    ),
    Row(
        15,
        "power loss: unsynced writes dropped, the acknowledgement floor reset",
        within(
            "integration/test_full_replay.py",
            "a_replay_of_the_whole_stream_has_no_effect",
        )
        + within(PIPELINE, "a_receipt_that_is_delivered_again_changes_nothing")
        + within(
            "faults/test_power.py",
            "15_after_a_power_loss_nothing_is_lost_and_nothing_done_twice",
            "15_the_disk_forgets_what_nobody_synced",
            "15_redis_starts_where_a_power_loss_left_zeros_at_the_end_of_its_file",
        ),
    ),
    Row(
        16,
        "one NATS node of three killed, and all three",
        within(
            "integration/test_replicas.py",
            "the_node_that_leads_intake_is_killed",
            "a_node_that_follows_is_killed",
            "all_nodes_are_killed_at_once",
            "a_hub_is_killed",
        ),
    ),
    Row(
        17,
        "partition of hub and NATS, half-open TCP",
        within("faults/test_network.py", "17_a_silent_nats_is_noticed_and_the_hub_goes_on_with_it"),
        campaign=True,
    ),
    Row(
        18,
        "the durable consumer is deleted by an operator",
        within(STREAMS, "a_consumer_that_somebody_deleted_is_declared_again")
        + within(OUTAGES, "a_consumer_that_an_operator_deleted_is_made_again_and_said"),
    ),
    Row(
        19,
        "a stream is full",
        within(
            STREAMS,
            "a_full_stream_refuses_and_loses_nothing_that_it_holds",
            "dead_letters_without_end_never_stop_the_hub",
        ),
    ),
    Row(
        20,
        "the PubAck does not come in time",
        within(STREAMS, "all_messages_are_stored_once_however_often_they_are_published")
        + within(
            "faults/test_network.py", "20_a_publish_without_an_answer_is_repeated_and_stored_once"
        ),
        campaign=True,
    ),
    Row(
        21,
        "the same message id with other content",
        within(
            "unit/canonical/test_identity.py",
            "the_same_fact_has_the_same_event_id_and_another_fact_another",
            "any_change_of_a_value_shows_in_content_id_or_key",
        ),
        "ids are derived from the content, so it cannot arise; what NATS would then drop is not "
        "compared",
    ),
    Row(
        22,
        "an atomic batch is refused for one message that is known",
        within(STREAMS, "a_batch_with_one_known_message_still_stores_the_others"),
    ),
    Row(
        23,
        "Redis is killed, emptied, or says what no ledger knows",
        within(OUTAGES, "without_redis_the_account_is_the_same_as_with_it")
        + within(
            "faults/test_accelerator.py",
            "23_what_only_redis_has_seen_is_taken_in_all_the_same",
            "23_an_emptied_redis_lets_every_call_through",
        ),
        campaign=True,
    ),
    Row(
        24,
        "Redis at maxmemory",
        within(
            "faults/test_accelerator.py",
            "24_a_full_redis_refuses_to_remember_and_forgets_nothing",
        ),
        campaign=True,
    ),
    Row(
        25,
        "Redis answers after two seconds",
        within("faults/test_network.py", "25_a_slow_redis_costs_a_call_no_more_than_its_timeout"),
        "how much throughput it costs is not measured",
        campaign=True,
    ),
    Row(
        26,
        "PostgreSQL is killed in the middle of a commit",
        within(CRASH, "an_answer_that_came_while_the_ledger_was_away_is_not_forgotten")
        + within(OUTAGES, "without_postgresql_what_is_stored_waits_and_is_decided_when_it_is_back"),
        campaign=True,
    ),
    Row(
        27,
        "PostgreSQL down for five minutes",
        within(
            OUTAGES,
            "without_postgresql_what_is_stored_waits_and_is_decided_when_it_is_back",
            "without_postgresql_what_intake_may_store_is_bounded",
        )
        + within(CRASH, "without_its_ledger_the_role_waits_and_then_goes_on"),
    ),
    Row(
        28,
        "PostgreSQL: disk full, serialization failures, deadlocks",
        within(PIPELINE, "many_replicas_with_overlapping_keys_neither_deadlock_nor_accept_twice")
        + within("unit/hub/ledger/test_faults.py", "a_fault_of_the_server_or_the_way_to_it_passes")
        + within(
            "faults/test_disk.py",
            "28_41_without_room_for_the_servers_senders_hear_no_and_nothing_is_lost",
        ),
    ),
    Row(
        29,
        "a target answers 5xx for an hour",
        within(
            FLOW,
            "an_open_breaker_stops_calling_and_another_target_goes_on",
            "at_a_target_that_fails_all_retries_are_a_tenth_of_the_first_calls",
            "after_an_outage_all_is_delivered_once",
        )
        + within("unit/hub/delivery/test_budget.py", "retries_are_a_tenth_of_the_first_attempts"),
        "for ten minutes, not an hour",
        campaign=True,
    ),
    Row(
        30,
        "a target answers 429 with Retry-After",
        within(OUTCOMES, "retry_after_is_waited_for", "throttling_is_never_counted_as_a_failure")
        + within(
            "unit/hub/delivery/test_limiter.py",
            "a_throttled_target_is_left_alone_until_its_retry_after",
            "after_the_pause_it_goes_at_half_the_rate",
        ),
        campaign=True,
    ),
    Row(
        31,
        "a target applies, then resets the connection",
        within(OUTCOMES, "a_lost_answer_is_asked_about_and_found")
        + within(f"{BC}/test_api.py", "what_may_have_left_is_in_doubt_and_not_sent_again"),
        campaign=True,
    ),
    Row(
        32,
        "a target hangs, or drips byte by byte",
        within(OUTCOMES, "a_hanging_target_is_given_up_at_the_deadline_and_asked")
        + within(ORDER, "quick_documents_pass_one_that_hangs"),
        campaign=True,
    ),
    Row(
        33,
        "a target answers 200 with an error body, or with a login page",
        within(f"{BC}/test_api.py", "an_answer_that_is_not_the_apis_is_no_success"),
        campaign=True,
    ),
    Row(
        34,
        "a target applies twice by itself",
        within(
            "unit/hub/reconcile/test_duplicate_effects.py",
            "two_ids_are_one_effect_too_many",
            "the_target_s_own_list_is_another_cause",
        )
        + within(
            "unit/sandbox/test_effects.py", "a_target_that_does_it_twice_by_itself_is_told_apart"
        ),
    ),
    Row(
        35,
        "a poisoned document crashes the worker, or the process",
        within(
            "unit/hub/workers/test_pool.py",
            "only_the_document_that_misbehaves_is_lost",
            "a_worker_killed_from_outside_costs_no_document",
        )
        + within(
            "integration/test_normalizer.py",
            "what_was_in_hand_at_two_deaths_is_quarantined_with_its_bytes",
        )
        + within(FLOW, "a_delivery_that_kills_every_process_is_set_aside"),
        campaign=True,
    ),
    Row(
        36,
        "a broken mapping is deployed, rolled back, and its dead letters replayed",
        within(
            "integration/dead_letters/test_receipts.py",
            "a_repaired_mapping_lets_the_failed_document_through_and_no_other",
        ),
        "there is no circuit for each mapping: intake goes on while all of it dies",
    ),
    Row(
        37,
        "100,000 dead letters are replayed under live traffic",
        within(
            "integration/dead_letters/test_replay_jobs.py",
            "no_more_letters_begin_than_the_rate_allows",
            "a_cancelled_job_begins_nothing_and_takes_back_what_rests",
            "a_job_goes_on_where_it_was_when_its_process_was_killed",
        ),
        "what it costs live traffic is measured by `make replay-beside` (p95 1.09 times, 1.2 allowed), not tested",
    ),
    Row(
        38,
        "a replay is asked for twice, by two people, or of what is delivered",
        within(
            "integration/dead_letters/test_deliveries.py",
            "what_was_delivered_on_another_occasion_is_not_replayed",
        )
        + within(
            "integration/dead_letters/test_receipts.py",
            "a_replay_that_is_stored_twice_is_decided_once",
        )
        + within(
            "integration/dead_letters/test_replay_jobs.py",
            "the_same_replay_twice_has_one_effect",
            "operators_who_ask_at_once_share_the_letters",
        ),
    ),
    Row(
        39,
        "a change comes before its order, or its order is dead",
        within(
            PIPELINE,
            "a_parked_change_goes_on_when_its_order_arrives_in_a_later_batch",
            "parked_changes_are_applied_in_the_order_of_their_sequence",
        )
        + within(
            ORDER,
            "a_dead_original_holds_its_changes_back_and_other_keys_go_on",
            "a_replay_of_the_dead_original_lets_its_changes_follow",
        ),
        campaign=True,
    ),
    Row(
        40,
        "the clock jumps",
        within(
            "unit/hub/delivery/test_limiter.py",
            "a_clock_that_stands_still_or_goes_back_gives_no_tokens",
        )
        + within(
            "faults/test_clock.py",
            "40_a_clock_that_is_set_by_an_hour_loses_no_order_and_doubles_none",
            "40_what_waits_is_tried_again_at_once_where_the_clock_leapt_ahead",
        ),
    ),
    Row(
        41,
        "the hub's disk is full",
        within("unit/connectors/transports/test_outbox.py", "a_failing_disk_leaves_nothing_behind")
        + within(
            "faults/test_disk.py",
            "41_without_room_for_the_archive_nothing_is_lost_and_it_recovers",
            "28_41_without_room_for_the_servers_senders_hear_no_and_nothing_is_lost",
        ),
        "that it recovers alone: NATS 2.15 must be started again once there is room",
    ),
    Row(
        42,
        "a certificate or secret is replaced, or has run out",
        within(
            "unit/connectors/transports/test_webhook.py",
            "every_current_secret_is_tried_whichever_matches",
            "a_secret_that_is_no_longer_current_is_refused",
        )
        + within(f"{BC}/test_api.py", "a_refused_token_is_tried_again_later"),
        "a hub that is running while its secret changes",
    ),
    Row(
        43,
        "a 997 or MDN never comes",
        within(
            "integration/test_partner_words.py",
            "what_nobody_confirmed_is_sent_and_after_the_partners_clock_overdue",
        )
        + within(
            "unit/hub/reconcile/test_acknowledgement_overdue.py",
            "what_nobody_answered_is_found_and_may_be_sent_again",
        ),
    ),
    Row(44, "a rolling upgrade with mixed workers", not_run="there is one version so far"),
    Row(
        45,
        "a row of the audit trail is tampered with",
        within(
            "integration/test_audit.py",
            "a_row_that_was_edited_deleted_or_cut_off_is_named",
            "a_head_that_was_kept_outside_tells_another_history",
        ),
        "rows of other tables have no chain of their own",
    ),
    Row(
        46,
        "the event loop is blocked by a mapping",
        within(
            "unit/hub/workers/test_attacks.py",
            "an_attack_is_refused_and_its_neighbours_are_not",
            "all_attacks_at_once_leave_a_pool_that_works",
        ),
    ),
)
