"""Mappings that a mistake or malice could produce; every one must end, and hurt nobody else."""

from __future__ import annotations

ATTACKS: dict[str, str] = {
    "endless_recursion": '($f := function($n) { $f($n) + 1 }; {"a": $f(1)})',
    "endless_tail_call": "($f := function($n) { $f($n) }; $f(1))",
    "exponential_recursion": """(
      $f := function($n) { $n < 2 ? 1 : $f($n - 1) + $f($n - 2) }; {"a": $string($f(60))}
    )""",
    "huge_range": '{"a": [1..10000000]}',
    "huge_map": '{"a": $map([1..10000000], function($x) { $x })}',
    "huge_sum": '{"a": $string($sum([1..9000000]))}',
    "cross_product": '{"a": $string($count([1..3000].([1..3000])))}',
    "evaluated_text": '$eval("[1..10000000]")',
    "backtracking_pattern": '{"a": $string($match(text, /^(a+)+$/)[0].match), "b": 0.5}',
    "overlapping_pattern": '{"a": $contains(text, /(x+x+)+y/) ? 0.5 : 0.5}',
    "doubled_text": """(
      $d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) };
      {"a": $string($length($d("xxxxxxxxxxxxxxxx", 30)))}
    )""",
    "doubled_array": '{"a": $reduce([1..90000], function($a, $b) { $append($a, $a) }, [1])}',
    "encoded_text": """(
      $d := function($s, $n) { $n = 0 ? $s : $d($base64encode($s & $s), $n - 1) };
      {"a": $string($length($d("xxxxxxxxxxxxxxxx", 30)))}
    )""",
    "padding": '{"a": $pad("x", 2000000000)}',
    "random_sort": '{"a": [$sort([1..90000], function($l, $r) { $random() > 0 })]}',
    "infinity": '{"a": 1 / 0}',
    "overflow": '{"a": $power(10, 400)}',
    "wildcards": '{"a": **.**.**.**.**.**.**.**}',
    "own_error": "$error($string(**))",
}
"""Flow -> mapping to an Order. Where a mapping comes through, its result must be refused."""
