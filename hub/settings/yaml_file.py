"""Reads one YAML file as plain values, each with its ``file:line``.

A subset of YAML 1.2, so that a file says what it seems to say: ``true`` and ``false`` alone are
booleans (a country code ``NO`` is text), whole numbers without leading zeros are integers (``0042``
is text), a number with a point stays text (money is never a binary float), and tags, aliases and merge
keys are refused.

``${NAME}`` in a value is replaced by the environment variable, ``${NAME:-text}`` by it or by
``text``; ``$${`` stands for ``${``.

Codes: ``file_missing``, ``file_unreadable``, ``yaml_invalid``, ``yaml_unsupported``,
``key_duplicate``, ``variable_unset``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from canonical.errors import ConfigError
from hub.settings.places import Layer, OptionPath, SettingsError

_MAX_BYTES = 1_000_000
_VARIABLE = re.compile(
    r"\$(?P<escaped>\$)?\{(?:(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\})?"
)
# With an end each: the library looks at the beginning alone.
_BOOLEAN = re.compile(r"(?:true|false)\Z")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_NULL = re.compile(r"(?:|~|null)\Z")


_BARE_VARIABLE = re.compile(r"[\[{].*(?<![\"'])\$\{")
"""A variable within a flow collection, whose braces YAML takes for its own (YAML 1.2.2, 7.4)."""


class _Loader(yaml.SafeLoader):
    """The parser, with the few implicit types that the module's docstring lists."""

    # The library looks a plain scalar up by its first character.
    yaml_implicit_resolvers = {  # noqa: RUF012 - typed by the library
        **{first: [("tag:yaml.org,2002:bool", _BOOLEAN)] for first in "tf"},
        **{first: [("tag:yaml.org,2002:int", _INTEGER)] for first in "-0123456789"},
        **{first: [("tag:yaml.org,2002:null", _NULL)] for first in ("", "~", "n")},
    }


def read_yaml(path: Path, environ: Mapping[str, str]) -> Layer:
    """The values of a file, and where they stand.

    Raises:
        SettingsError: with all problems of the file.

    """
    text = _read(path)
    try:
        root = yaml.compose(text, _Loader)
    except yaml.YAMLError as error:
        raise SettingsError([_syntax_problem(path, error, text)]) from error
    except RecursionError as error:
        raise SettingsError(
            [ConfigError("yaml_unsupported", str(path), "nested too deep")]
        ) from error
    reading = _Reading(path, environ)
    values = {} if root is None else reading.value(root, (), root)
    if not isinstance(values, dict):
        detail = "expected `name: value` lines at the top"
        raise SettingsError([ConfigError("yaml_invalid", f"{path}:1", detail)])
    if reading.problems:
        raise SettingsError(reading.problems)
    return Layer(values, {(): f"{path}:1"} | reading.places)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise SettingsError([ConfigError("file_unreadable", str(path), "larger than 1 MB")])
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SettingsError([ConfigError("file_missing", str(path), "no such file")]) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = ConfigError("file_unreadable", f"{path}:{line}", "not UTF-8")
        raise SettingsError([problem]) from error
    except OSError as error:
        problem = ConfigError("file_unreadable", str(path), error.strerror or "cannot be read")
        raise SettingsError([problem]) from error


def _syntax_problem(path: Path, error: yaml.YAMLError, text: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    # The library's words name characters and tokens, never the value around them.
    said = getattr(error, "problem", None) or "not YAML text"
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if line and _BARE_VARIABLE.search(line[0]):
        said += "; within {} or [], ${NAME} stands in quotes"
    return ConfigError("yaml_invalid", where, said)


class _Reading:
    """One walk over the nodes of a file."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.places: dict[OptionPath, str] = {}
        self.problems: list[ConfigError] = []
        self._path = path
        self._environ = environ
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: OptionPath, introduced_by: yaml.Node) -> Any:
        """The node as a plain value; a problem is noted, and stands as None.

        Its place is the line of what introduces it, its name: there a person looks.
        """
        self.places[path] = self._place(introduced_by)
        if id(node) in self._seen:
            detail = "aliases are not read; repeat the value"
            return self.refuse("yaml_unsupported", introduced_by, detail)
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value(item, (*path, i), item) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def refuse(self, code: str, node: yaml.Node, detail: str) -> None:
        """Note a problem at a node."""
        self.problems.append(ConfigError(code, self._place(node), detail))

    def _mapping(self, node: yaml.MappingNode, path: OptionPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            name = key.value
            if not isinstance(key, yaml.ScalarNode) or name == "<<":
                self.refuse("yaml_unsupported", key, "expected a plain name")
            elif name in values:
                first = self.places[*path, name].rpartition(":")[2]
                self.refuse("key_duplicate", key, f"`{name}` stands in line {first} already")
            else:
                values[name] = self.value(value, (*path, name), key)
        return values

    def _scalar(self, node: yaml.Node) -> Any:
        text = str(node.value)
        match node.tag:
            case "tag:yaml.org,2002:str":
                return self._substituted(node, text)
            case "tag:yaml.org,2002:int":
                return int(text)
            case "tag:yaml.org,2002:bool":
                return text == "true"
            case "tag:yaml.org,2002:null":
                return None
            case _:
                return self.refuse("yaml_unsupported", node, "tags are not read")

    def _substituted(self, node: yaml.Node, text: str) -> str:
        def replace(found: re.Match[str]) -> str:
            if found["escaped"]:
                return found[0].removeprefix("$")
            if found["name"] is None:
                self.refuse("yaml_invalid", node, "expected ${NAME} or ${NAME:-text}")
                return ""
            value = self._environ.get(found["name"]) or found["default"]
            if value is None:
                detail = f"environment variable {found['name']} is not set"
                self.refuse("variable_unset", node, detail)
            return value or ""

        return _VARIABLE.sub(replace, text)

    def _place(self, node: yaml.Node) -> str:
        return f"{self._path}:{node.start_mark.line + 1}"
