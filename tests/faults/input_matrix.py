"""The bad-input matrix: 64 rows, each with the tests that show what each input gets."""

from __future__ import annotations

from tests.faults.rows import Row, within

INPUT = "integration/test_bad_input.py"
FILES = "integration/test_bad_files.py"
BODY = "unit/connectors/transports/test_body.py"
JSON = "unit/connectors/test_json_body.py"
HOOK = "unit/connectors/transports/test_webhook.py"
FOLDER = "unit/connectors/transports/test_folder.py"
DOCUMENTS = "unit/canonical/test_documents.py"
X12 = "unit/connectors/x12"
AS2 = "unit/connectors/transports/as2"
DECIDE = "unit/hub/normalize/test_decide.py"
PIPELINE = "integration/test_pipeline.py"
WORDS = "integration/test_partner_words.py"
AS2_IN = "integration/transports/test_as2_intake.py"
BOXES = "integration/transports/test_mailboxes.py"
API = "integration/dead_letters/test_api.py"
NO_KEYS = "no transport takes an Idempotency-Key"
EDIFACT = "unit/connectors/edifact"
EDIFACT_IN = "integration/test_edifact_orders.py"
NO_XML = "no connector reads XML"
NO_CSV = "no connector reads CSV or spreadsheets"

ROWS = (
    Row(
        1,
        "HTTP: an empty body",
        within(INPUT, "an_empty_body_is_refused")
        + within(BODY, "no_body_at_all_is_empty_not_an_error"),
    ),
    Row(
        2,
        "HTTP: a body beyond the limit, declared or without length",
        within(INPUT, "a_body_over_the_cap_is_refused", "a_body_without_end_is_cut_at_the_cap"),
    ),
    Row(3, "HTTP: a gzip bomb", within(BODY, "a_bomb_is_cut_at_the_cap")),
    Row(
        4,
        "HTTP: a wrong content type",
        within(INPUT, "a_content_type_other_than_json_is_refused"),
    ),
    Row(
        5,
        "HTTP: JSON cut off, trailing text, two documents",
        within(INPUT, "json_that_cannot_be_trusted_is_set_aside_with_its_place")
        + within(JSON, "a_bad_body_is_refused_with_a_code_and_a_place"),
    ),
    Row(6, "JSON: a key twice", within(JSON, "a_bad_body_is_refused_with_a_code_and_a_place")),
    Row(
        7,
        "JSON: NaN, Infinity, 1e400, 2^64, 5,000 digits",
        within(
            JSON,
            "a_bad_body_is_refused_with_a_code_and_a_place",
            "an_integer_of_more_than_15_digits_stays_text",
        ),
    ),
    Row(
        8,
        "JSON: nested 100,000 deep",
        within(JSON, "a_bad_body_is_refused_with_a_code_and_a_place")
        + within("unit/hub/workers/test_attacks.py", "a_document_of_great_depth_is_refused"),
    ),
    Row(
        9,
        "JSON: NUL, lone surrogate, byte order mark",
        within(
            JSON,
            "a_bad_body_is_refused_with_a_code_and_a_place",
            "a_byte_order_mark_is_accepted",
        )
        + within(DOCUMENTS, "control_characters_and_line_breaks_are_refused"),
        "bidirectional controls are taken without a flag",
    ),
    Row(
        10,
        "JSON: unknown fields, required ones missing or null",
        within(DOCUMENTS, "an_unknown_field_is_refused")
        + within(
            "unit/hub/workers/test_jobs.py",
            "a_result_that_is_not_canonical_is_refused_field_by_field",
        ),
    ),
    Row(
        11,
        'JSON: true for a quantity, "1_0", other digits, blanks, decimal commas',
        within(
            "unit/canonical/test_decimal_text.py",
            "text_that_is_no_plain_decimal_is_refused_at_its_place",
            "a_json_value_that_is_no_text_is_refused",
        ),
    ),
    Row(
        12,
        "JSON: quantity 0 or below, too large, too many decimals of a currency",
        within(
            INPUT,
            "a_total_beyond_the_minor_unit_is_set_aside_with_its_place",
            "a_price_with_too_many_decimals_is_set_aside_with_its_place",
        ),
    ),
    Row(
        13,
        "JSON: sums that differ, no lines, 100,000 lines",
        within(
            DOCUMENTS,
            "an_order_without_lines_is_refused",
            "an_order_with_more_lines_than_may_be_is_refused_not_truncated",
        ),
        "a header total is not compared with the lines' sum",
    ),
    Row(
        14,
        "a currency, unit or country that does not exist",
        within(DOCUMENTS, "an_unknown_unit_is_refused_at_its_line")
        + within(
            "unit/canonical/test_units.py",
            "codes_that_recommendation_20_took_out_of_use_are_no_units",
        ),
    ),
    Row(
        15,
        "30 February, a moment without a zone",
        within(
            DOCUMENTS,
            "a_date_is_an_iso_8601_calendar_date",
            "a_moment_without_an_offset_or_that_never_was_is_refused",
        )
        + within(f"{X12}/test_x12_checker.py", "days_of_the_calendar_are_dates"),
    ),
    Row(
        16,
        "PO numbers that differ in blanks, case, zeros or encoding",
        within(
            "unit/canonical/test_number.py",
            "case_and_outer_blanks_do_not_matter",
            "how_an_accent_is_encoded_does_not_matter",
            "the_documented_examples",
        ),
    ),
    Row(17, "API: an Idempotency-Key again with other content", not_run=NO_KEYS),
    Row(18, "API: the same key while the first is running", not_run=NO_KEYS),
    Row(19, "API: a key that is too long, empty, or not printable", not_run=NO_KEYS),
    Row(
        20,
        "webhook: a signature that is wrong, missing, not ASCII, or too long",
        within(
            "contract/test_webhooks.py",
            "a_forged_signature_is_refused_and_never_an_error_of_ours",
            "a_call_without_a_signature_is_not_believed",
        )
        + within(INPUT, "a_call_that_is_not_signed_as_agreed_is_refused_and_not_stored"),
    ),
    Row(
        21,
        "webhook: a genuine call outside the window",
        within(HOOK, "a_genuine_call_outside_the_window_is_a_replay"),
    ),
    Row(
        22,
        "webhook: an exact repeat inside the window",
        within(INPUT, "a_replayed_call_is_answered_with_the_first_receipt"),
    ),
    Row(
        23,
        "webhook: the old secret while it is replaced, and after",
        within(
            HOOK,
            "every_current_secret_is_tried_whichever_matches",
            "a_secret_that_is_no_longer_current_is_refused",
        )
        + within(
            "unit/connectors/shopify/test_shopify_webhook.py",
            "a_secret_that_was_replaced_is_not_believed_any_more",
        ),
    ),
    Row(
        24,
        "webhook: a body that a proxy wrote anew",
        within(
            "unit/connectors/shopify/test_shopify_webhook.py",
            "a_body_that_a_proxy_wrote_anew_is_not_believed",
        )
        + within(INPUT, "a_body_that_was_changed_on_its_way_is_refused"),
    ),
    Row(
        25,
        "webhook: events out of order",
        within("unit/canonical/test_verdict.py", "snapshots_in_any_order_end_in_the_newest")
        + within(PIPELINE, "a_parked_change_goes_on_when_its_order_arrives_in_a_later_batch"),
    ),
    Row(
        26,
        "webhook: an unknown kind of event",
        within(
            "unit/connectors/shopify/test_shopify_codec.py",
            "other_topics_are_answered_and_not_read",
        )
        + within(
            "unit/connectors/easypost/test_easypost_codec.py",
            "other_kinds_are_answered",
        ),
    ),
    Row(
        27,
        "X12: an ISA that is too short, or whose separators are wrong",
        within(
            f"{X12}/test_x12_delimiters.py",
            "an_isa_that_is_not_padded_is_read_and_its_wrong_element_named",
            "delimiters_that_cannot_be_told_apart_are_refused",
            "an_isa_without_separators_is_given_up_after_512_characters",
        )
        + within(FILES, "odd_delimiters_are_read_from_the_isa"),
    ),
    Row(
        28,
        "X12: ISA13 and IEA02 differ",
        within(
            f"{X12}/test_x12_envelope.py",
            "a_wrong_count_or_control_number_is_named_with_its_element",
        )
        + within(
            f"{X12}/test_x12_codec.py",
            "nothing_of_an_interchange_counts_that_does_not_end_well",
        )
        + within(
            f"{X12}/test_x12_answers.py",
            "an_interchange_is_answered_with_a_ta1_where_that_was_agreed",
        ),
    ),
    Row(
        29,
        "X12: wrong counts in IEA, GE, SE",
        within(
            f"{X12}/test_x12_envelope.py",
            "a_wrong_count_or_control_number_is_named_with_its_element",
        )
        + within(
            f"{X12}/test_x12_codec.py",
            "a_wrong_group_refuses_all_of_its_sets_and_no_others",
            "one_bad_set_does_not_hold_up_the_others_of_its_group",
        ),
    ),
    Row(
        30,
        "X12: cut off before the IEA",
        within(
            FILES,
            "an_interchange_that_is_wrong_as_a_whole_is_set_aside_and_nothing_of_it_is_processed",
        )
        + within(
            f"{X12}/test_x12_envelope.py",
            "an_interchange_cut_anywhere_is_truncated_and_every_level_still_ends",
        ),
    ),
    Row(
        31,
        "X12: a control number again, the same bytes",
        within(PIPELINE, "a_retransmission_owes_the_first_answer_again")
        + within(FILES, "the_same_bytes_under_another_name_are_a_duplicate")
        + within(WORDS, "the_same_number_with_the_same_bytes_is_answered_again"),
    ),
    Row(
        32,
        "X12: a control number again, other bytes",
        within(
            WORDS,
            "a_number_with_other_bytes_is_held_for_a_person_and_told_025",
            "two_conflicting_interchanges_of_one_batch_are_told_apart",
        ),
    ),
    Row(
        33,
        "X12: a gap in the control numbers",
        within(WORDS, "gaps_are_shown_once_the_grace_period_is_over"),
    ),
    Row(
        34,
        "X12: an unknown sender or receiver; a test interchange in production",
        within(
            f"{X12}/test_x12_codec.py",
            "what_is_wrong_with_an_envelope_is_refused_and_answered_where_a_997_can",
            "a_test_connection_takes_test_interchanges_alone",
            "every_code_of_an_envelope_has_its_case",
        ),
    ),
    Row(
        35,
        "X12: one bad set among good ones",
        within(FILES, "one_bad_set_of_three_is_refused_and_two_are_accepted")
        + within(
            f"{X12}/test_x12_ack.py",
            "one_bad_set_of_three_is_rejected_with_its_places_and_the_group_partially_accepted",
        ),
    ),
    Row(
        36,
        "X12: unknown version or set, mandatory segment missing, too long, no such code",
        within(
            f"{X12}/test_x12_checker.py", "elements_that_are_wrong", "segments_in_the_wrong_place"
        )
        + within(f"{X12}/test_x12_ack.py", "a_missing_segment_is_named_where_it_should_be")
        + within(FILES, "a_set_that_is_wrong_is_refused_in_its_997_with_its_place"),
    ),
    Row(
        37,
        "X12: the same PO twice in one interchange",
        within(
            DECIDE,
            "the_same_order_twice_in_one_batch_is_delivered_once",
            "other_content_under_the_same_key_is_a_conflict_and_delivers_nothing",
        ),
    ),
    Row(
        38,
        "X12: an 860 for an unknown PO, or with a sequence that was used",
        within(
            DECIDE,
            "a_change_without_its_order_is_parked_and_adopted_when_the_order_comes",
            "an_older_change_is_stale_and_has_no_effect",
        ),
    ),
    Row(
        39,
        "X12: a 997 for nothing that was sent, a 997 of a 997, a 997 that says no",
        within(f"{X12}/test_x12_codec.py", "a_997_is_never_answered_right_or_wrong")
        + within(
            WORDS,
            "a_number_that_we_never_sent_there_matches_nothing_and_is_listed",
            "a_no_brings_the_document_back_as_a_dead_letter_with_the_reasons",
        ),
    ),
    Row(
        40,
        "X12: line ends after terminators, trailing blanks, lower-case ids",
        within(f"{X12}/test_x12_reader.py", "line_ends_after_terminators_are_no_data")
        + within(f"{X12}/test_x12_codec.py", "ids_are_compared_without_padding_and_case"),
    ),
    Row(
        41,
        "EDIFACT: UNA, release characters, a repeated reference",
        within(
            f"{EDIFACT}/test_edifact_reader.py",
            "a_una_says_what_separates",
            "released_characters_do_not_separate",
        )
        + within(
            f"{EDIFACT}/test_edifact_answers.py",
            "a_reference_that_comes_again_with_other_bytes_is_answered_with_code_26",
        )
        + within(
            EDIFACT_IN,
            "the_same_file_again_changes_nothing_and_is_answered_all_the_same",
            "a_reference_used_again_for_something_else_is_refused_and_the_first_stands",
        ),
    ),
    Row(
        42,
        "EDIFACT: bytes that UNOC cannot hold, a wrong UNT",
        within(
            f"{EDIFACT}/test_edifact_reader.py",
            "text_is_read_by_its_character_set_and_as_utf_8_where_it_is",
        )
        + within(
            f"{EDIFACT}/test_edifact_envelope.py", "what_is_wrong_with_an_envelope_has_its_code"
        )
        + within(
            f"{EDIFACT}/test_edifact_codec.py",
            "what_is_wrong_with_an_envelope_is_refused_and_answered_where_it_can_be",
        ),
    ),
    Row(
        43,
        "EDIFACT: a nested UNH, no UNZ",
        within(
            f"{EDIFACT}/test_edifact_envelope.py",
            "what_is_wrong_with_an_envelope_has_its_code",
            "a_missing_end_is_told_where_the_next_interchange_begins",
        )
        + within(EDIFACT_IN, "a_file_that_is_cut_short_is_rejected_as_a_whole"),
    ),
    Row(
        44,
        "AS2: unsigned, a wrong MIC, an expired certificate, an unknown sender",
        within(
            AS2_IN,
            "what_is_not_as_agreed_hears_the_exact_disposition",
            "a_message_changed_on_its_way_fails_the_integrity_check",
            "an_expired_certificate_authenticates_nobody",
            "a_stranger_is_told_so_unsigned",
        )
        + within(f"{AS2}/test_message.py", "less_security_than_agreed_is_refused"),
    ),
    Row(
        45,
        "AS2: the same Message-ID again, with the same content or other",
        within(
            AS2_IN,
            "the_same_message_again_hears_the_same_receipt_and_has_no_effect",
            "the_same_message_id_with_other_content_is_a_conflict",
        ),
    ),
    Row(
        46,
        "AS2: an asynchronous MDN to a private address",
        within(AS2_IN, "a_receipt_is_never_sent_to_a_private_address"),
    ),
    Row(47, "XML: entities, DTD, XInclude", not_run=NO_XML),
    Row(48, "XML: depth, attributes, text without end", not_run=NO_XML),
    Row(49, "XML: a wrong namespace or encoding", not_run=NO_XML),
    Row(50, "CSV: quotes, ragged rows, headers", not_run=NO_CSV),
    Row(51, "CSV: delimiters, encodings, NUL, huge cells", not_run=NO_CSV),
    Row(
        52,
        "CSV: cells that a spreadsheet would run",
        within(
            "unit/dlq_tools/test_cells.py",
            "what_a_terminal_would_act_on_is_written_out",
        )
        + within(API, "exports_neutralise_formulas")
        + within(
            "unit/hub/reconcile/test_report.py",
            "a_cell_that_a_spreadsheet_would_run_is_made_text",
        ),
        NO_CSV,
    ),
    Row(53, "CSV, XLSX: ids as numbers, eaten zeros, dates as serials", not_run=NO_CSV),
    Row(
        54,
        "file: still being written, renamed in a race, empty, name or content again",
        within(
            FILES,
            "a_file_that_is_still_being_written_is_read_once_it_stands_still",
            "a_temporary_name_is_left_alone_until_it_is_renamed",
            "an_empty_file_is_moved_aside",
            "the_same_bytes_under_another_name_are_a_duplicate",
        )
        + within(FOLDER, "another_file_under_the_same_name_starts_the_wait_again"),
    ),
    Row(
        55,
        "file: names that lead elsewhere, or mean something in a subject",
        within(
            FILES,
            "a_name_that_would_lead_elsewhere_is_only_a_name",
            "a_name_that_cannot_be_printed_is_moved_aside",
        )
        + within(
            "unit/connectors/transports/test_names.py", "every_name_becomes_safe_and_stays_so"
        ),
    ),
    Row(
        56,
        "file: links, FIFOs, devices, unreadable, gone in the middle",
        within(
            FILES,
            "a_symbolic_link_is_moved_aside_and_never_followed",
            "a_fifo_is_moved_aside_and_nobody_waits_for_it",
        )
        + within(
            FOLDER,
            "a_file_without_permission_is_tried_again_later",
            "a_file_that_is_gone_is_somebody_elses",
        ),
    ),
    Row(57, "zip: bombs, nesting, many entries, passwords, paths", not_run="no zip is opened"),
    Row(
        58,
        "SFTP: dropped connections, changed host keys, long listings",
        within(
            BOXES,
            "a_download_that_was_cut_goes_on_where_it_ended",
            "an_upload_that_was_cut_goes_on_where_it_ended",
            "another_host_key_is_a_hard_stop_before_any_login",
            "a_look_lists_no_more_than_it_may",
        ),
    ),
    Row(
        59,
        "poll: a cursor that goes back, rows edited, equal stamps at a page's edge",
        within(
            "unit/connectors/business_central/test_poller.py",
            "a_change_is_asked_for_from_a_little_before_the_newest_stamp",
            "an_unchanged_page_is_not_taken_in_again_by_any_replica",
            "a_page_out_of_order_moves_the_cursor_only_at_the_end",
        )
        + within("integration/test_poll.py", "what_nobody_takes_in_is_polled_again"),
    ),
    Row(
        60,
        "poll: pages that change, 200 with an error, rate limits",
        within(
            "unit/connectors/business_central/test_poller.py",
            "a_poll_that_breaks_goes_on_behind_the_last_page_taken_in",
            "a_poll_that_never_ends_is_ended",
            "something_else_than_a_collection_is_not_the_api",
        ),
    ),
    Row(
        61,
        "NATS: a message without our headers, and bodies beyond 512 kB",
        within(INPUT, "a_message_without_our_headers_is_set_aside_with_its_bytes")
        + within(
            "integration/test_large_bodies.py",
            "two_receipts_with_the_same_large_bytes_are_both_decided",
            "a_receipt_whose_body_is_lost_becomes_a_dead_letter_and_stops_nobody",
        ),
    ),
    Row(
        62,
        "mapping: endless recursion, ReDoS, memory, errors, nothing at all",
        within(
            "unit/hub/workers/test_attacks.py",
            "an_attack_is_refused_and_its_neighbours_are_not",
            "all_attacks_at_once_leave_a_pool_that_works",
        )
        + within(
            INPUT,
            "a_mapping_that_goes_wrong_costs_one_document_and_nobody_else_anything",
        ),
    ),
    Row(
        63,
        "configuration: private addresses, secrets in the file, unknown options",
        within(
            "unit/hub/settings/test_check.py",
            "a_misfit_is_told_with_its_line",
            "all_misfits_are_told_at_once",
        )
        + within("unit/hub/settings/test_loader.py", "a_mistake_is_told_with_its_line")
        + within(
            "unit/hub/settings/test_secrets.py",
            "what_is_no_secret_is_refused_without_being_shown",
        ),
    ),
    Row(
        64,
        "console: forged posts, other tenants, roles, markup in names",
        within(
            API,
            "every_route_takes_its_role_and_those_above_it_and_no_other",
            "a_token_that_is_nearly_right_is_none",
            "what_cannot_be_done_is_refused_in_one_shape",
        ),
        "there is no console: roles and refusals of the HTTP API alone",
    ),
)
