"""Writes ``docs/configuration.md`` from the models: ``python -m hub.settings.reference``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hub.settings import model, transports

TARGET = Path(__file__).parents[2] / "docs" / "configuration.md"

_SECTIONS: dict[str, type[BaseModel]] = {
    "The top": model.Site,
    "servers": model.Servers,
    "streams": model.StreamLimits,
    "http": model.Http,
    "workers": model.Workers,
    "retry": model.Retry,
    "control_points": model.ControlPoints,
    "reconcile": model.Reconcile,
    "dead_letters": model.DeadLetters,
    "retention": model.Retention,
    "partners.NAME": model.Partner,
    "connections.NAME": model.Connection,
    "connections.NAME.transport, kind: folder": model.FolderTransport,
    "connections.NAME.transport, kind: webhook": model.WebhookTransport,
    "connections.NAME.transport, kind: poll": model.PollTransport,
    "connections.NAME.transport, kind: as2": transports.As2Transport,
    "connections.NAME.transport, kind: sftp": transports.SftpTransport,
    "connections.NAME.transport, kind: ftps": transports.FtpsTransport,
    "connections.NAME.limits": model.Limits,
    "routes[]": model.Route,
}
_WORDS: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Decimal: "decimal",
    Path: "path",
    Any: "anything",
}
_SIGNS: dict[type, tuple[str, str]] = {
    Ge: ("ge", "≥"),
    Gt: ("gt", ">"),
    Le: ("le", "≤"),
    Lt: ("lt", "<"),
}

_INTRODUCTION = """\
# Configuration

<!-- Generated: python -m hub.settings.reference -->

One YAML file describes a site. It is found by `--config FILE`, else by the environment variable
`CROSSDOCK_CONFIG`, else as `crossdock.yaml` in the working directory. `crossdock config check`
tells every mistake with its file and line; `crossdock config show` prints what the hub would use.
[`config/demo.yaml`](../config/demo.yaml) is a whole site.

What counts, from weak to strong: [`config/defaults.yaml`](../config/defaults.yaml), the site's
file, the environment. Mappings are merged, everything else is replaced.

## How a file is read

- YAML, without tags, aliases and merge keys (an anchor that nothing refers to means nothing).
  Only `true` and `false` are booleans; a
  number with leading zeros or a point stays text until an option wants a number. A text that looks
  like a whole number needs quotes: `customer_number: "10010"`.
- Unknown and repeated names are refused, with the name that was probably meant.
- **Variables.** `${NAME}` in a value is replaced by an environment variable, `${NAME:-text}` by it
  or by `text`; `$${` stands for `${`. `{data_dir}` stands for the data folder (in quotes: a value
  that begins with `{` is a mapping to YAML). A relative `data_dir` counts from the site's file, any
  other relative path from the working directory.
- **Secrets are never written down.** An option whose name ends in `secret`, `token`, `password`,
  `passphrase` or `key` (or their plurals), and a server's URL with a password, is a reference:
  `env:NAME` (an environment variable) or `file:/path` (a file's content, without its last line
  end). It is resolved when the hub starts and shown nowhere.

## The environment

`CROSSDOCK_<SECTION>__<OPTION>` sets one option of every section but partners, connections, routes
and tokens: `CROSSDOCK_HTTP__PORT=9000`; lists are JSON. `DATABASE_URL`, `NATS_URL` and `REDIS_URL`
set the servers' URLs. Without URLs the hub runs its own servers in the data folder.

A connector's own options (`connections.NAME.options`) are in its folder's README:
`connectors/<system>/README.md`.
"""


def render() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *(_section(*item) for item in _SECTIONS.items())])


def _section(name: str, section: type[BaseModel]) -> str:
    title = name if name == "The top" else f"`{name}`"
    head = [f"## {title}", "", str(section.__doc__).strip(), ""]
    table = ["| option | what it is | default | means |", "|---|---|---|---|"]
    rows = [_row(option, field) for option, field in section.model_fields.items()]
    return "\n".join([*head, *table, *rows, ""])


def _row(option: str, field: FieldInfo) -> str:
    cells = (f"`{option}`", _kind(field), _default(field), _meaning(field))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _meaning(field: FieldInfo) -> str:
    sections = [kind for kind in _alternatives(field.annotation) if _is_section(kind)]
    return field.description or " ".join(str(kind.__doc__).strip() for kind in sections)


def _kind(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(bound, attribute):g}"
        for bound in field.metadata
        for kind, (attribute, sign) in _SIGNS.items()
        if isinstance(bound, kind)
    ]
    return ", ".join([_word(field.annotation), *bounds])


def _word(annotation: Any) -> str:
    alternatives = _alternatives(annotation)
    if len(alternatives) > 1:
        return "section" if _is_section(alternatives[0]) else " or ".join(map(_word, alternatives))
    kind = alternatives[0]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in inner)
    if origin is tuple:
        return "list of sections" if _is_section(inner[0]) else f"list of {_word(inner[0])}s"
    if origin is dict:
        return "sections by name" if _is_section(inner[1]) else f"{_word(inner[1])} by name"
    return "section" if _is_section(kind) else _WORDS[kind]


def _alternatives(annotation: Any) -> list[Any]:
    """What an annotation can be, without None and without marks."""
    if get_origin(annotation) in {Union, UnionType}:
        parts = [_alternatives(part) for part in get_args(annotation) if part is not NoneType]
        return [kind for part in parts for kind in part]
    if hasattr(annotation, "__metadata__"):
        return _alternatives(annotation.__origin__)
    return [annotation]


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ({}, ()) or isinstance(value, BaseModel):
        return ""
    return f"`{_written(value)}`"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def undescribed(sections: Sequence[type[BaseModel]] = tuple(_SECTIONS.values())) -> Iterator[str]:
    """Options that the page would say nothing about."""
    for section in sections:
        for name, field in section.model_fields.items():
            if not _meaning(field):
                yield f"{section.__name__}.{name}"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
