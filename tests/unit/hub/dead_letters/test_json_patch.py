"""JSON Patch as RFC 6902 has it, with numbers digit for digit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from canonical.errors import Rejected
from hub.dead_letters.json_patch import apply, read, write


def patched(document: str, patch: Any) -> str:
    return write(apply(read(document.encode()), read(json.dumps(patch).encode()))).decode()


@pytest.mark.parametrize(
    ("document", "operation", "expected"),
    [
        # RFC 6902, appendix A
        (
            '{"foo":"bar"}',
            {"op": "add", "path": "/baz", "value": "qux"},
            '{"foo":"bar","baz":"qux"}',
        ),
        ('{"foo":["bar"]}', {"op": "add", "path": "/foo/0", "value": "a"}, '{"foo":["a","bar"]}'),
        ('{"foo":["bar"]}', {"op": "add", "path": "/foo/-", "value": [1]}, '{"foo":["bar",[1]]}'),
        ('{"baz":"q","foo":"b"}', {"op": "remove", "path": "/baz"}, '{"foo":"b"}'),
        ('{"foo":["a","b"]}', {"op": "remove", "path": "/foo/1"}, '{"foo":["a"]}'),
        ('{"baz":"q"}', {"op": "replace", "path": "/baz", "value": None}, '{"baz":null}'),
        (
            '{"a":{"b":1},"c":{}}',
            {"op": "move", "from": "/a/b", "path": "/c/d"},
            '{"a":{},"c":{"d":1}}',
        ),
        ('{"a":[1,2,3]}', {"op": "move", "from": "/a/0", "path": "/a/2"}, '{"a":[2,3,1]}'),
        ('{"a":{"b":1}}', {"op": "copy", "from": "/a", "path": "/c"}, '{"a":{"b":1},"c":{"b":1}}'),
        ('{"a/b":1,"m~n":2}', {"op": "test", "path": "/a~1b", "value": 1}, '{"a/b":1,"m~n":2}'),
        ('{"m~n":2}', {"op": "replace", "path": "/m~0n", "value": 3}, '{"m~n":3}'),
        ('{"a":1}', {"op": "replace", "path": "", "value": {"b": 2}}, '{"b":2}'),
    ],
)
def test_operations(document: str, operation: dict[str, Any], expected: str) -> None:
    assert patched(document, [operation]) == expected


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "add", "path": "/no/such", "value": 1}, "patch_failed"),
        ({"op": "remove", "path": "/no"}, "patch_failed"),
        ({"op": "replace", "path": "/no", "value": 1}, "patch_failed"),
        ({"op": "add", "path": "/list/4", "value": 1}, "patch_failed"),
        ({"op": "remove", "path": "/list/-"}, "patch_failed"),
        ({"op": "remove", "path": "/list/01"}, "patch_failed"),
        ({"op": "remove", "path": "/list/-1"}, "patch_failed"),
        ({"op": "remove", "path": ""}, "patch_failed"),
        ({"op": "test", "path": "/a", "value": "1"}, "patch_failed"),
        ({"op": "move", "from": "/list", "path": "/list/0"}, "patch_failed"),
        ({"op": "add", "path": "a", "value": 1}, "patch_failed"),
        ({"op": "add", "path": 7, "value": 1}, "patch_failed"),
        ({"op": "add", "path": "/a/b", "value": 1}, "patch_failed"),
        ({"op": "add", "path": "/a"}, "patch_invalid"),
        ({"op": "spam", "path": "/a"}, "patch_invalid"),
        ({"op": ["add"], "path": "/a"}, "patch_invalid"),
        ("add", "patch_invalid"),
    ],
)
def test_what_cannot_be_applied_is_named_by_its_index(operation: Any, code: str) -> None:
    first = {"op": "add", "path": "/b", "value": 1}
    with pytest.raises(Rejected) as raised:
        patched('{"a":1,"list":[1,2,3]}', [first, operation])
    assert raised.value.code == code
    assert raised.value.where.startswith("[1]")


@pytest.mark.parametrize("patch", [[], {}, "x", [{"op": "test", "path": "", "value": 1}] * 1001])
def test_what_is_no_patch_is_refused(patch: Any) -> None:
    with pytest.raises(Rejected, match="patch_invalid"):
        apply(read(b"1"), read(json.dumps(patch).encode()))


def test_numbers_keep_their_digits() -> None:
    document = '{"price":10.00,"big":123456789012345678901234567890,"e":1e2}'
    patch = [{"op": "add", "path": "/x", "value": "é"}]
    assert patched(document, patch) == document[:-1] + ',"x":"é"}'


def test_the_document_given_is_not_changed() -> None:
    document = read(b'{"a":[1]}')
    apply(document, read(b'[{"op":"add","path":"/a/-","value":2}]'))
    assert write(document) == b'{"a":[1]}'


@pytest.mark.parametrize("text", [b"", b"ISA*00", b"{", b"NaN", b"[" * 100_000, b"\xff"])
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(Rejected, match="not_json"):
        read(text)
