"""What a partner's examples get: held, broken with the place, or noted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from canonical.errors import ConfigError
from canonical.examples import EXAMPLES
from hub.contracts.model import read_contract
from hub.contracts.outcome import Checked
from hub.contracts.recorder import record
from hub.contracts.verifier import Verifier

Check = Callable[[], Checked]


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def add(folder: Path, example: str) -> None:
    with (folder / "contract.yaml").open("a") as file:
        file.write(example)


def problems(checked: Checked, name: str) -> tuple[str, ...]:
    return next(outcome.problems for outcome in checked.outcomes if outcome.name == name)


def test_a_new_partners_contract_holds_from_its_first_minute(check: Check) -> None:
    checked = check()
    assert (checked.state, len(checked.outcomes)) == ("green", 2)


def test_a_field_that_is_relied_on_and_differs_breaks_with_its_place(
    folder: Path, check: Check
) -> None:
    rewrite(folder / "order.json", '"po_number": "PO-1001"', '"po_number": "PO-1002"')
    expected = 'order.json: po_number: expected "PO-1002", got "PO-1001"'
    assert problems(check(), "a purchase order") == (expected,)


def test_a_field_that_is_not_relied_on_is_only_noted(folder: Path, check: Check) -> None:
    rewrite(folder / "order.json", '"requested_delivery_on": "2026-01-09",', "")
    (outcome, _) = check().outcomes
    assert outcome.problems == ()
    assert "requested_delivery_on" in outcome.notes[0]


def test_an_answer_that_differs_names_the_segment(folder: Path, check: Check) -> None:
    rewrite(folder / "order.997.edi", "AK5*A", "AK5*R")
    (found,) = problems(check(), "a purchase order")
    assert found.startswith("order.997.edi: segment or line 6: expected 'AK5*R'")


def test_a_refusal_must_have_the_code_and_the_place(folder: Path, check: Check) -> None:
    rewrite(
        folder / "contract.yaml",
        "{code: line_count_mismatch}",
        "{code: line_count_mismatch, where: PO1}",
    )
    (found,) = problems(check(), "an order whose line count is wrong")
    assert found.startswith(
        "expected the refusal line_count_mismatch at PO1, got line_count_mismatch"
    )


def test_what_is_accepted_and_was_to_be_refused_breaks(folder: Path, check: Check) -> None:
    rewrite(folder / "miscounted.edi", "CTT*3", "CTT*2")
    (found,) = problems(check(), "an order whose line count is wrong")
    assert found.endswith("got a document")


def test_a_document_for_the_partner_is_compared_as_bytes(
    folder: Path, check: Check, verifier: Verifier
) -> None:
    (folder / "out.json").write_text(json.dumps(EXAMPLES["order"]))
    add(folder, '  - {name: out, send: out.json, entity: order, flow: "940", expect: [out.edi]}\n')
    assert [path.name for path in record(verifier, read_contract(folder))] == ["out.edi"]
    assert problems(check(), "out") == ()
    rewrite(folder / "out.edi", "GS*OW", "GS*OX")
    assert problems(check(), "out")[0].startswith("out.edi: segment or line 2")


@pytest.mark.parametrize("file", ["schema.json", "openapi.yaml#/components/schemas/Event"])
def test_an_event_is_held_to_the_listeners_schema(folder: Path, check: Check, file: str) -> None:
    data = {"type": "object", "required": ["po_number", "moon"]}
    schema = {"type": "object", "required": ["id", "data"], "properties": {"data": data}}
    (folder / "schema.json").write_text(json.dumps(schema))
    whole = {"components": {"schemas": {"Event": schema}}}
    (folder / "openapi.yaml").write_text(json.dumps(whole))
    (folder / "order.event.json").write_text(json.dumps(EXAMPLES["order"]))
    add(folder, f'  - {{name: event, event: order.event.json, conforms_to: "{file}"}}\n')
    assert problems(check(), "event") == (f"$.data.moon: is missing: `required` of {file}",)


def test_what_does_not_fit_is_said_without_its_value(folder: Path, check: Check) -> None:
    rules = {"po_number": {"type": "integer"}, "currency": {"enum": ["EUR", "GBP"]}}
    data = {"type": "object", "properties": rules, "additionalProperties": False}
    schema = {"type": "object", "properties": {"data": data}}
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "order.event.json").write_text(json.dumps(EXAMPLES["order"]))
    add(folder, '  - {name: event, event: order.event.json, conforms_to: "schema.json"}\n')
    said = problems(check(), "event")
    assert '$.data.po_number: does not fit `type: "integer"` of schema.json' in said
    assert '$.data.currency: does not fit `enum: ["EUR", "GBP"]` of schema.json' in said
    assert "$.data.lines: is too many: `additionalProperties` of schema.json" in said
    assert EXAMPLES["order"]["po_number"] not in "".join(said)


def test_an_event_is_held_to_the_payload_of_an_asyncapi_message(folder: Path, check: Check) -> None:
    payload = {"type": "object", "required": ["moon"]}
    whole = {"components": {"messages": {"order.released": {"name": "x", "payload": payload}}}}
    (folder / "asyncapi.json").write_text(json.dumps(whole))
    (folder / "order.event.json").write_text(json.dumps(EXAMPLES["order"]))
    file = "asyncapi.json#/components/messages/order.released"
    add(folder, f'  - {{name: event, event: order.event.json, conforms_to: "{file}"}}\n')
    assert problems(check(), "event") == (f"$.moon: is missing: `required` of {file}",)


@pytest.mark.parametrize("pointer", ["", "#/components", "#/components/messages/empty"])
def test_a_place_without_a_schema_holds_for_nothing(
    folder: Path, check: Check, pointer: str
) -> None:
    whole = {"components": {"messages": {"empty": {"name": "x"}}}}
    (folder / "asyncapi.json").write_text(json.dumps(whole))
    (folder / "order.event.json").write_text(json.dumps(EXAMPLES["order"]))
    file = f"asyncapi.json{pointer}"
    add(folder, f'  - {{name: event, event: order.event.json, conforms_to: "{file}"}}\n')
    with pytest.raises(ConfigError, match="schema_invalid"):
        check()


def test_a_schema_that_points_elsewhere_is_never_fetched(folder: Path, check: Check) -> None:
    (folder / "schema.json").write_text('{"$ref": "http://127.0.0.1:9/schema.json"}')
    (folder / "order.event.json").write_text(json.dumps(EXAMPLES["order"]))
    add(folder, '  - {name: event, event: order.event.json, conforms_to: "schema.json"}\n')
    with pytest.raises(ConfigError, match="schema_invalid"):
        check()


MISTAKES = [
    ('version: "1.0"', "version: one", ("value_invalid", 4)),
    ("relies_on:", "relies_to:", ("option_unknown", 12)),
    ("  order: [po_number,", "  order: [po_numbre,", ("field_unknown", 13)),
    ("    receive: order.edi\n", "", ("example_invalid", 15)),
    ("an order whose line count is wrong", "a purchase order", ("example_duplicate", 20)),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES)
def test_mistakes_in_a_contract_are_named_with_their_line(
    folder: Path, old: str, new: str, expected: tuple[str, int]
) -> None:
    rewrite(folder / "contract.yaml", old, new)
    with pytest.raises(ConfigError) as raised:
        read_contract(folder)
    code, line = expected
    assert (raised.value.code, raised.value.where) == (code, f"{folder / 'contract.yaml'}:{line}")


@pytest.mark.parametrize("path", ["../secret.edi", "/etc/hostname", "missing.edi"])
def test_examples_stay_inside_of_their_folder(folder: Path, check: Check, path: str) -> None:
    (folder.parent / "secret.edi").write_text("x")
    rewrite(folder / "contract.yaml", "receive: order.edi", f"receive: {path}")
    with pytest.raises(ConfigError, match="example_invalid"):
        check()
