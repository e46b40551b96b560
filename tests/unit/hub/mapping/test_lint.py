"""The lint finds each planted fault at its place, and is silent on what is right."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from connectors.base import Json
from hub.mapping.files import MappingFile
from hub.mapping.lint.check import lint_mapping
from hub.mapping.lint.finding import Finding

GOOD = """(
  $party := function($who) {{
    "id": $who.id,
    "name": $who.name ? $who.name
  }};
  $money := function($amount) {
    $exists($amount) ? {"amount": $dec($amount), "currency": $partner.currency}
  };
  {
    "po_number": po,
    "buyer": $party(buyer),
    "currency": $partner.currency,
    "ordered_on": $parse_date(on, "CCYYMMDD"),
    "lines": [lines.{
      "number": $string(n),
      "item": {"seller_sku": sku},
      "quantity": {"value": $dec_mul(qty, 1), "unit": $code("x12_355_to_rec20", uom)},
      "unit_price": $money(price)
    }],
    "notes": [notes],
    "extensions": $merge([$connection.colour ? {"colour": $connection.colour} : {}, {"x": y}])
  }
)"""


def lint(
    text: str, name: str = "order.order", *sources: Json, fields: Json | None = None
) -> tuple[Finding, ...]:
    left, _, right = name.partition(".")
    inbound = right == "order"
    file = MappingFile(
        system="paper",
        direction="in" if inbound else "out",
        flow=left if inbound else right,
        entity=right if inbound else left,
        path=Path(f"{name}.jsonata"),
        name="m",
        text=text,
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
    )
    return lint_mapping(file, sources, fields)


def rules(text: str, name: str = "order.order") -> list[str]:
    return [each.rule for each in lint(text, name)]


def inside(text: str) -> tuple[Finding, ...]:
    """Lint an expression on its way into a line's price."""
    return lint(GOOD.replace("$dec($amount)", text))


def anywhere(text: str) -> list[str]:
    """Rules that an expression in a harmless place breaks."""
    return rules(GOOD.replace('"po_number": po', f'"po_number": {text}'))


def test_a_good_mapping_is_clean() -> None:
    assert lint(GOOD) == ()


def test_a_required_field_that_is_missing_is_found() -> None:
    found = lint(GOOD.replace('"ordered_on": $parse_date(on, "CCYYMMDD"),', ""))
    assert [(each.rule, each.message) for each in found] == [
        ("E2", "ordered_on is required and never set")
    ]


def test_a_required_field_set_in_one_branch_only_is_found() -> None:
    found = lint(GOOD.replace('"po_number": po', '"po_number": x = "1" ? po'))
    assert [each.rule for each in found] == ["E2"]
    two = '($o := a ? {"po_number": po} : {"buyer": {}}; $o)'
    messages = {each.message for each in lint(two)}
    assert "po_number is required and not set in every branch" in messages


def test_a_required_field_that_a_merge_may_leave_out_is_found() -> None:
    whole = '$merge([{"po_number": po, "buyer": {}, "currency": c, "lines": []}, %s])'
    assert rules(whole % '{"ordered_on": on}') == []
    assert rules(whole % 'x ? {"ordered_on": on} : {}') == ["E2"]
    assert rules(whole % "$") == []


def test_an_unknown_field_is_found_with_its_place_and_a_guess() -> None:
    found = lint(GOOD.replace('"seller_sku"', '"seler_sku"'))
    assert [(each.rule, each.place, each.message) for each in found] == [
        ("E3", "m:16:29", "lines[].item has no field seler_sku (did you mean seller_sku?)")
    ]


@pytest.mark.parametrize(
    "lines", ["lines.{}", "$map(lines, $party)", "$filter(lines, $party)", "$append(a, b)"]
)
def test_an_array_that_is_not_wrapped_is_found(lines: str) -> None:
    assert "E4" in rules(GOOD.replace("[notes]", lines))


@pytest.mark.parametrize(
    "notes", ["[notes]", "notes[]", '$split(note, ",")', "x ? [notes]", "$sort([notes])", "[]"]
)
def test_what_is_always_an_array_is_not_found(notes: str) -> None:
    assert lint(GOOD.replace("[notes]", notes)) == ()


def test_a_single_value_from_something_that_repeats_is_found() -> None:
    found = lint(GOOD.replace('"po_number": po', '"po_number": lines.po'))
    assert [(each.rule, each.place) for each in found] == [("E5", "m:10:18")]
    assert anywhere("lines[0].po") == []
    assert anywhere("$$.lines.po") == ["E5"]


@pytest.mark.parametrize(
    "text",
    [
        "$amount * 2",
        "-$amount",
        "$sum(x)",
        "$number($amount)",
        "$string($round(x, 2))",
        "$dec($sum(x))",
        "$dec_mul($amount, 1.5)",
        "1.5",
        "2",
        "x ? $amount : $string($amount / 2)",
        "($y := $amount * 2; $y)",
        "$dec_round($amount + 1, 2)",
    ],
)
def test_a_float_on_its_way_into_money_is_found(text: str) -> None:
    assert "E6" in [each.rule for each in inside(text)]


@pytest.mark.parametrize(
    "text",
    [
        "$dec_mul($amount, 2)",
        "$dec_round($amount, 2)",
        "$dec_sum([x.$dec_mul(a, b)])",
        '$count(x) + 1 > 2 ? $amount : "0"',
        "$dec_implied($amount, 2)",
    ],
)
def test_decimals_and_conditions_are_not_found(text: str) -> None:
    assert inside(text) == ()


def test_arithmetic_that_reaches_no_money_is_allowed() -> None:
    assert anywhere("$string($count(x) + 1)") == []


@pytest.mark.parametrize("name", ["eval", "now", "millis", "random"])
def test_what_is_not_repeatable_is_found(name: str) -> None:
    argument = '"1"' if name == "eval" else ""
    assert anywhere(f"${name}({argument})") == ["E7"]


def test_padding_needs_a_literal_width() -> None:
    assert anywhere('$pad(po, 10, "0")') == []
    assert anywhere("$pad(po, n)") == ["E7"]
    assert anywhere("$pad(po, 100000)") == ["E7"]


def test_a_function_that_does_not_exist_is_found_with_a_guess() -> None:
    found = lint(GOOD.replace("$parse_date", "$parse_dat"))
    assert [each.message for each in found] == [
        "there is no function $parse_dat (did you mean $parse_date?)"
    ]


def test_a_variable_that_nothing_is_bound_to_is_found() -> None:
    found = lint(GOOD.replace("$partner.currency", "$partnr.currency", 1))
    assert "(did you mean $partner?)" in found[0].message


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        ("$dec()", ["E8"]),
        ("$dec(a, b)", ["E8"]),
        ("$substring(a, 1, 2, 3)", ["E8"]),
        ("$party(a, b)", ["E8"]),
        ("a ~> $substring(1, 2)", []),
        ("a.$trim()", []),
        ("$party", []),
        ('$join([a.$uppercase()], "-")', []),
        ("(function($x) { $x })(a)", []),
        ("$map([a], function($v, $i) { $v & $string($i) })[0]", []),
        ("a@$v.{'x': $v}[0].x", []),
        ("a#$i[$i = 0].x", []),
    ],
)
def test_arguments_are_counted(call: str, rule: list[str]) -> None:
    assert [each for each in anywhere(call) if each == "E8"] == rule


def test_a_function_may_call_one_that_is_bound_behind_it() -> None:
    text = GOOD.replace("  $money :=", "  $early := function() { $later };\n  $money :=")
    text = text.replace('  {\n    "po', '  $later := "x";\n  {\n    "po')
    assert lint(text) == ()


def test_what_one_of_the_parsers_refuses_is_found() -> None:
    assert rules("a..b") == ["E9"]
    broken = lint('{\n  "a": ,\n}')
    assert [each.rule for each in broken] == ["E9"]
    assert broken[0].place.startswith("m:2:")


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        (r"/a(?=b)/", ["E10"]),
        (r"/a(?!b)/", ["E10"]),
        (r"/(?<=a)b/", ["E10"]),
        (r"/(a)\1/", ["E10"]),
        (r"/(?:a)\\1/", []),
        (r"/^[0-9]{8}$/i", []),
    ],
)
def test_patterns_that_the_engine_cannot_run_are_found(pattern: str, rule: list[str]) -> None:
    assert anywhere(f"$replace(po, {pattern}, 'x')") == rule


def test_a_refusal_that_could_carry_data_is_found() -> None:
    assert anywhere('$fail("po_wrong", "BEG03", "expected a number")') == []
    assert anywhere('$fail(po, "BEG", "expected " & po)') == ["E11", "E11", "W5"]


def test_a_list_or_picture_that_does_not_exist_is_found() -> None:
    assert anywhere('$code("countries", po)') == ["E12"]
    assert anywhere('$parse_date(po, "YYYYMMDD")') == ["E12"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("$connection.units[code = po].name", ["W1"]),
        ("$connection.units[0].name", []),
        ("units[code = po].name", []),
        ('po = 1 ? "a" : "b"', ["W2"]),
        ('po = "1" ? "a" : "b"', []),
        ('$count(po) = 1 ? "a" : "b"', []),
        ("$string($toMillis(on))", ["W3"]),
        ("**.po", ["W4"]),
        ("*.po", ["W4"]),
        ("($f := function($n) { $f($n) }; $f(1))", ["W4"]),
        ("($line := function($line) { $line.x }; $line(a))", []),
        ('"PO" & po', ["W5"]),
        ('po ? "PO" & po', []),
        ('$exists(po) ? "PO" & po : ""', []),
        ('po ? "" : "PO" & po', ["W5"]),
    ],
)
def test_habits_that_cost_or_hide_are_warned_of(text: str, rule: list[str]) -> None:
    assert [each for each in anywhere(text) if each.startswith("W")] == rule


def test_warnings_are_no_errors() -> None:
    found = lint(GOOD.replace('"po_number": po', '"po_number": "PO" & po'))
    assert [each.is_error for each in found] == [False]


def test_an_outbound_mapping_is_held_to_the_vocabulary_it_reads() -> None:
    text = """(
      $line := lines[0];
      {
        "po": po_numbr,
        "items": [lines.{"sku": item.seller_skew, "amount": unit_price.amount}],
        "names": [$map(lines, function($l) { $l.item.gtin & $l.itm })],
        "first": $line.quantity.valeu,
        "root": lines.($$.buyer.nam),
        "open": extensions.anything.goes,
        "mine": $control.whatever
      }
    )"""
    found = [each for each in lint(text, "order.note") if each.rule == "E1"]
    assert [each.message for each in found] == [
        "the document has no po_numbr here (did you mean po_number?)",
        "the document has no seller_skew here (did you mean seller_sku?)",
        "the document has no itm here (did you mean item?)",
        "the document has no valeu here (did you mean value?)",
        "the document has no nam here (did you mean name?)",
    ]
    assert found[0].place == "m:4:15"


def test_an_outbound_mapping_computes_no_decimals_in_floats() -> None:
    assert rules('{"total": $sum(lines.unit_price.amount)}', "order.note") == ["E6"]
    assert rules('{"n": $string($count(lines) + 1)}', "order.note") == []


SEEN: Json = {
    "po": "1", "on": "20260505", "buyer": {"id": "C1", "name": "Acme"}, "notes": "x",
    "lines": [{"n": "1", "sku": "A", "qty": "1"}, {"uom": "EA", "price": "2"}],
    "BEG": {"BEG01": "00", "BEG03": "PO-1"}, "parties": [{"kind": "BY", "no": "7"}],
    "y": "z",
}  # fmt: skip


def test_what_the_cases_have_together_is_known() -> None:
    assert lint(GOOD, "order.order", SEEN) == ()
    fewer = SEEN | {"lines": SEEN["lines"][:1]}
    assert [each.message for each in lint(GOOD, "order.order", fewer)] == [
        "no worked case has uom here", "no worked case has price here",
    ]  # fmt: skip
    assert lint(GOOD, "order.order", fewer, {"lines": {"uom": "EA", "price": "1"}}) == ()


@pytest.mark.parametrize(
    ("path", "rule", "said"),
    [
        ("BEG.BEG3", ["W6"], "no worked case has BEG3 here (did you mean BEG03?)"),
        ("BEG.BEG05", [], ""),
        ("BEG.BAK05", ["W6"], "no worked case has BAK05 here"),
        ("byer.id", ["W6"], "no worked case has byer here (did you mean buyer?)"),
        ("lines[skuu = 'A'].n", ["W6"], "no worked case has skuu here (did you mean sku?)"),
        ("($by := parties{kind: $}; $by.ST.no)", [], ""),
        ("$keys(parties{knd: no})[0]", ["W6"], "no worked case has knd here (did you mean kind?)"),
    ],
)
def test_a_path_that_no_case_has_is_warned_of_with_a_guess(
    path: str, rule: list[str], said: str
) -> None:
    found = lint(GOOD.replace('"po_number": po', f'"po_number": {path}'), "order.order", SEEN)
    assert [each.rule for each in found] == rule
    assert [each.message for each in found] == ([said] if said else [])
    assert not any(each.is_error for each in found)


LISTED: Json = {
    "po": None, "on": None, "buyer": {"id": None, "name": None}, "notes": None, "y": None,
    "lines": [{"n": None, "sku": None, "qty": None, "uom": None, "price": None}],
    "ship_to": {"name": None, "city": None}, "tags": {"*": None},
    "N1_loop": [{"N1": {"N101": None, "N104": None}, "N4": {"N401": None}}],
}  # fmt: skip


def listed(po_number: str, *sources: Json) -> list[str]:
    text = GOOD.replace('"po_number": po', f'"po_number": {po_number}')
    every = lint(text, "order.order", *sources, fields=LISTED)
    found = [each for each in every if each.rule in ("E1", "W6")]
    assert all(each.is_error for each in found)
    return [f"{each.place.partition(':')[2]} {each.message}" for each in found]


def test_what_the_source_has_is_known_whether_a_case_shows_it_or_not() -> None:
    assert listed("po") == []
    assert listed("ship_to.name", {"po": "1"}) == []
    assert listed("tags.anything") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("pso", "no pso here (did you mean po?)"),
        ("ship_to.nam", "no nam here (did you mean name?)"),
        ("lines[skuu = 'A'].n", "no skuu here (did you mean sku?)"),
        ("lines[0].{'a': nn}.a", "no nn here (did you mean n?)"),
        ("(po ? ship_to : buyer).nname", "no nname here (did you mean name?)"),
        ("$map(lines, function($line) { $line.skuu })", "no skuu here (did you mean sku?)"),
        ("($f := function($at) { $at.cty }; $f(ship_to))", "no cty here (did you mean city?)"),
        ("($f := po ? function($at) { $at.cty }; $f(ship_to))", "no cty here (did you mean city?)"),
        ("($f := function($at) { $at.cty }; $map([ship_to], $f))", "no cty here (did you mean city?)"),
        ("($f := function($x) { $x[0] }; $f(ship_to).cty)", "no cty here (did you mean city?)"),
        ("($g := function($x) { $x.cty }; $f := function($x) { $g($x) }; $f(ship_to))",
         "no cty here (did you mean city?)"),
        ("($by := N1_loop{N1.N101: $}; $by.ST.N4.N41)", "no N41 here (did you mean N401?)"),
        ("$merge([ship_to, {'zip': po}]).ziip", "no ziip here (did you mean zip?)"),
        ("$lookup($connection, po).N411", "no N411 anywhere (did you mean N401?)"),
        ("$lookup($connection, po).LIN_loop", "no LIN_loop anywhere (did you mean N1_loop?)"),
    ],
)  # fmt: skip
def test_a_path_that_the_source_does_not_have_is_an_error_with_its_place_and_a_guess(
    path: str, said: str
) -> None:
    found = listed(path)
    assert [each.partition(" ")[2] for each in found] == [f"the document has {said}"]
    column = GOOD.splitlines()[int(found[0].partition(":")[0]) - 1].index('"po_number": po') + 14
    assert int(found[0].split(" ")[0].partition(":")[2]) >= column


@pytest.mark.parametrize(
    "path",
    [
        "($f := function($at) { $at.city }; [$f(ship_to), $f(buyer)])[0]",
        "($f := function($at) { $at.cty }; $f($connection.x))",
        "($f := function($at) { $at.cty }; $each(tags, $f))",
        "($ids := lines{sku: n}; $ids.AB)",
        "$lookup($connection, po).cty",
        "$lookup($connection, po).N401",
    ],
)
def test_what_may_be_there_is_no_error(path: str) -> None:
    assert listed(path) == []


def test_what_a_worked_case_has_beyond_the_list_is_known() -> None:
    assert listed("own.field", {"own": {"field": "1"}, "lines": [{"mine": "2"}]}) == []
    assert listed("lines[0].mine", {"lines": [{"mine": "2"}]}) == []
    assert len(listed("own.fild", {"own": {"field": "1"}})) == 1


def test_levels_within_levels_are_followed_as_deep_as_a_mapping_goes() -> None:
    level: Json = {"HL": {"HL01": None}}
    level["HL_loop"] = [level]
    text = GOOD.replace('"po_number": po', '"po_number": HL_loop.HL_loop.HL_loop.HL.HL02')
    found = lint(text, fields=LISTED | {"HL_loop": [level]})
    assert [each.message for each in found] == [
        "the document has no HL02 here (did you mean HL01?)"
    ]
