"""Both engines: the same result, the same refusal, within the same limits."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import jsonatapy
import orjson
import pytest

from canonical.errors import ConfigError, Rejected
from hub.mapping.cases import ENGINES
from hub.mapping.engine import JSONATAPY, Limits, check_engines
from hub.mapping.jsonatapy_engine import JsonatapyMapping
from hub.mapping.reference_engine import ReferenceMapping

Apply = Callable[..., Any]


@pytest.fixture(params=[(engine, how) for engine in sorted(ENGINES) for how in ("as", "text")])
def apply(request: pytest.FixtureRequest) -> Apply:
    """Compile an expression on one engine and apply it, to an object or to its text."""
    engine, how = request.param

    def run(text: str, source: Any = None, **bindings: Any) -> Any:
        mapping = ENGINES[engine](text, "mappings/x/y.jsonata", Limits())
        given = {} if source is None else source
        if how == "as":
            return mapping.apply(given, bindings)
        written = mapping.written(given, bindings)
        made = orjson.loads(written)
        assert orjson.dumps(made) == written  # compact
        return made

    return run


def refusal(apply: Apply, text: str, source: Any = None, **bindings: Any) -> Rejected:
    with pytest.raises(Rejected) as rejected:
        apply(text, source, **bindings)
    return rejected.value


def test_a_document_is_mapped_with_its_bindings(apply: Apply) -> None:
    made = apply(
        '{"who": $partner.name, "on": $received_on, "lines": [lines.{"price": $dec(p)}]}',
        {"lines": [{"p": "010.50"}]},
        partner={"name": "Acme"},
        received_on="2026-03-02",
    )
    assert made == {"who": "Acme", "on": "2026-03-02", "lines": [{"price": "10.50"}]}


def test_absent_and_null_values_are_left_out(apply: Apply) -> None:
    made = apply(
        '{"a": $dec(nowhere), "b": null, "c": [$dec(nowhere), x, null], "d": nowhere}', {"x": "1"}
    )
    assert made == {"c": ["1"]}


def test_an_absent_value_out_of_a_function_is_null_on_both_engines(apply: Apply) -> None:
    assert apply('{"seen": $exists($dec(nowhere))}') == {"seen": True}


def test_the_result_shares_nothing_with_the_source(apply: Apply) -> None:
    source = {"party": {"name": "Acme", "tags": ["a"]}}
    before = copy.deepcopy(source)
    made = apply('{"party": party}', source)
    made["party"]["name"] = "changed"
    made["party"]["tags"].append("b")
    assert source == before


@pytest.mark.parametrize(
    "text",
    ['{"a": 7, "b": [1, -2]}', '{"a": ":7,8[9", "b": ["null", ""]}', '{"a": {"b": [{"c": true}]}}'],
)
def test_numbers_and_what_looks_like_one_arrive_as_they_are(apply: Apply, text: str) -> None:
    assert apply(text) == orjson.loads(text)


@pytest.mark.parametrize("text", ['{"a": [2.5]}', '{"a": ["x", 2.5]}', '{"a": {"b": -2.5}}'])
def test_a_float_is_refused_wherever_it_stands(apply: Apply, text: str) -> None:
    assert refusal(apply, text).code == "mapping_not_decimal"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1.5}', "mapping_not_decimal"),
        ('{"a": x * 1.1}', "mapping_not_decimal"),
        ('{"a": $dec(1.1)}', "mapping_not_decimal"),
        ('{"a": $dec("1,5")}', "mapping_not_decimal"),
        ('{"a": $code("country", "Atlantis")}', "code_unknown"),
        ('{"a": $parse_date("20260230", "CCYYMMDD")}', "date_invalid"),
        ('{"a": $dec("1", "2")}', "mapping_failed"),
        ('$eval("1")', "mapping_failed"),
        ("$now()", "mapping_failed"),
        ("$millis()", "mapping_failed"),
        ("$random()", "mapping_failed"),
        ('{"a": $pad("x", 2000000000)}', "mapping_failed"),
        ('{"a": "x" + 1}', "mapping_failed"),
        ('{"a": $nobody(1)}', "mapping_failed"),
        ("nowhere", "mapping_undefined"),
        ("[1, 2]", "mapping_undefined"),
        ('"text"', "mapping_undefined"),
        ("($f := function($n) { $f($n) + 1 }; $f(1))", "mapping_failed"),
    ],
)
def test_what_goes_wrong_has_a_bounded_code(apply: Apply, text: str, code: str) -> None:
    assert refusal(apply, text, {"x": 3}).code == code


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_mapping_that_loops_is_stopped(engine: str) -> None:
    text = "($f := function($n) { $f($n) }; $f(1))"
    mapping = ENGINES[engine](text, "m", Limits(milliseconds=20))
    with pytest.raises(Rejected) as rejected:
        mapping.apply({}, {})
    assert rejected.value.code == "mapping_timeout"


def test_an_integer_that_would_be_changed_is_refused_on_its_way_in(apply: Apply) -> None:
    error = refusal(apply, '{"a": 1}', {"elsewhere": {"id": 2**53 + 1}})
    assert error.code == "mapping_not_decimal"


def test_a_float_is_refused_on_its_way_in(apply: Apply) -> None:
    assert refusal(apply, '{"a": 1}', {"prices": ["1", 9.99]}).code == "mapping_not_decimal"


def test_a_source_that_nests_too_deep_is_refused_before_it_is_evaluated(apply: Apply) -> None:
    source: dict[str, Any] = {}
    for _ in range(100_000):
        source = {"in": source}
    assert refusal(apply, '{"a": 1}', source).code == "mapping_too_large"
    while source:  # taken apart by hand: the interpreter would recurse to free it
        source = source["in"]


def test_fail_speaks_in_the_words_of_the_mapping(apply: Apply) -> None:
    error = refusal(apply, '$fail("order_cancelled", "BEG01", "expected an original")')
    assert (error.code, error.where, error.detail) == (
        "order_cancelled",
        "BEG01",
        "expected an original",
    )


@pytest.mark.parametrize("word", ['"Not A Code"', '"x" & po', "1", '""', '"a"'])
def test_fail_takes_no_word_that_could_be_data(apply: Apply, word: str) -> None:
    error = refusal(apply, f'$fail({word}, "", "")', {"po": "-4711"})
    assert error.code == "mapping_failed"


def test_a_refused_value_is_named_by_its_place_in_the_source(apply: Apply) -> None:
    source = {"PO1": [{"PO104": "1"}, {"PO104": "1.5.5"}]}
    error = refusal(apply, '{"a": [PO1.{"p": $dec(PO104)}]}', source)
    assert error.where == "mappings/x/y.jsonata: PO1[1].PO104"


def test_no_error_carries_a_value_of_the_document(apply: Apply) -> None:
    said = "value-of-a-document"
    for text in (
        '{"a": $number(x)}',
        '{"a": $dec(x)}',
        '{"a": x + 1}',
        '{"a": $code("country", x)}',
        '{"a": $parse_date(x, "CCYYMMDD")}',
        "$error(x)",
        "$assert(false, x)",
        "$toMillis(x)",
    ):
        with pytest.raises(Rejected) as rejected:
            apply(f"[{text}][0]", {"x": said})
        assert said not in str(rejected.value)
        assert said not in repr(rejected.value.__cause__)


def test_pad_is_as_in_jsonata_up_to_its_cap(apply: Apply) -> None:
    made = apply('{"a": $pad("x", 3, "ab"), "b": $pad("x", -3, "0"), "c": $pad("xyz", 2)}')
    assert made == {"a": "xab", "b": "00x", "c": "xyz"}


def test_an_expression_may_be_applied_again_after_it_failed(apply: Apply) -> None:
    mapping = JsonatapyMapping('{"a": $dec(x)}', "m", Limits())
    for _ in range(2):
        with pytest.raises(Rejected):
            mapping.apply({"x": "?"}, {})
        assert mapping.apply({"x": "1"}, {}) == {"a": "1"}
    assert apply('{"a": $dec(x)}', {"x": "1"}) == {"a": "1"}


def test_a_syntax_error_is_a_fault_of_the_set_up() -> None:
    for compile_ in ENGINES.values():
        with pytest.raises(ConfigError) as error:
            compile_('{"a": ,}', "mappings/x/y.jsonata", Limits())
        assert error.value.code == "mapping_syntax"
        assert error.value.where.startswith("mappings/x/y.jsonata")


def test_the_reference_engine_knows_where_a_call_failed() -> None:
    mapping = ReferenceMapping('{\n  "a": $dec(x & "?")\n}', "m.jsonata", Limits())
    with pytest.raises(Rejected) as rejected:
        mapping.apply({"x": "1"}, {})
    assert rejected.value.where.startswith("m.jsonata:2:")


def test_a_long_sequence_is_refused_by_the_engine_that_runs() -> None:
    mapping = JsonatapyMapping('{"a": [1..10000000]}', "m", Limits())
    with pytest.raises(Rejected) as rejected:
        mapping.apply({}, {})
    assert rejected.value.code == "mapping_too_large"


def test_a_panic_of_the_engine_is_a_refusal_and_no_crash() -> None:
    """An expression belongs to its thread; another one makes the engine panic."""
    mapping = JsonatapyMapping('{"a": x}', "m", Limits())
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            mapping.apply({"x": "1"}, {})
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [Rejected]


def test_the_engines_are_the_ones_that_were_measured() -> None:
    check_engines()
    assert jsonatapy.__version__ == JSONATAPY
