"""A contract as it is written: a folder with ``contract.yaml`` and the examples it names.

Codes of the `SettingsError` raised here: those of `hub.settings.yaml_file` and
`hub.settings.problems`, and ``example_invalid``, ``example_duplicate``, ``field_unknown``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from canonical import DOCUMENTS
from canonical.errors import ConfigError
from hub.fields import known_fields
from hub.settings.model import Partner
from hub.settings.names import did_you_mean
from hub.settings.places import Layer, SettingsError, dotted
from hub.settings.problems import problems
from hub.settings.section import Section
from hub.settings.yaml_file import read_yaml

FILE = "contract.yaml"

Kind = Literal["receive", "send", "event"]
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
KEY_WORDS = "expected lower case letters, digits, hyphens; 63 at most, no hyphen first"


def is_key(text: str) -> bool:
    """Whether a contract or a partner can be called so."""
    return _KEY.fullmatch(text) is not None


def _checked_key(text: str) -> str:
    if not is_key(text):
        raise ValueError(KEY_WORDS)
    return text


Key = Annotated[str, AfterValidator(_checked_key)]


class Refusal(Section):
    """The refusal that an example must get."""

    code: str = Field(description="The code, such as `line_count_mismatch`.")
    where: str | None = Field(None, description="The place, where the contract cares for it.")


class Example(Section):
    """One example; exactly one of `receive`, `send` and `event` says which way it goes."""

    name: str = Field(min_length=1, max_length=80, description="What reports call it.")
    why: str = Field("", description="What it shows, for readers.")
    receive: Path | None = Field(None, description="Bytes that the partner sends us.")
    send: Path | None = Field(None, description="A canonical document that we send the partner.")
    event: Path | None = Field(None, description="A canonical document that we publish.")
    flow: str = Field("", description="The flow: of a webhook its topic, outbound such as `940`.")
    entity: str = Field("order", description="Of `send` and `event`: what the document is.")
    headers: dict[str, str] = Field(
        {}, description="Of `receive`: facts of the call, such as a webhook's headers."
    )
    expect: tuple[Path, ...] = Field(
        (), description="Canonical documents that come of it, or the bytes that are sent."
    )
    answers: tuple[Path, ...] = Field((), description="Bytes that the partner gets in answer.")
    refused: Refusal | None = Field(None, description="The refusal that is expected instead.")
    conforms_to: str | None = Field(
        None, description="JSON Schema that it must fit: `file` or `file#/pointer` (OpenAPI too)."
    )

    @property
    def kind(self) -> Kind:
        """Which way it goes."""
        return "receive" if self.receive else "send" if self.send else "event"

    @property
    def source(self) -> Path:
        """The file that it starts from."""
        path = self.receive or self.send or self.event
        if path is None:  # `_example_problems` has refused such a contract
            raise ConfigError("example_invalid", self.name, "expected receive, send or event")
        return path


class Link(Section):
    """The partner's connection, without its transport: nothing is sent anywhere."""

    system: str = Field(description="Which connector: a folder of `connectors/`.")
    options: dict[str, Any] = Field({}, description="The connector's options; no secrets.")
    bindings: dict[str, Any] = Field({}, description="What mappings read as `$connection`.")


class ContractFile(Section):
    """``contract.yaml``."""

    contract: Key = Field(description="Its name.")
    version: str = Field(pattern=r"^\d+\.\d+(\.\d+)?$", description="Its version.")
    owner: str = Field(min_length=1, description="Whom to ask: a person's or team's address.")
    key: Key = Field(description="Our name of the partner.")
    partner: Partner = Field(description="The partner, as in the hub's configuration.")
    connection: Link
    pending: bool = Field(default=False, description="New: may fail without failing the gate.")
    deprecated_on: date | None = Field(None, description="From when it no longer counts.")
    relies_on: dict[str, tuple[str, ...]] = Field(
        {}, description="Entity -> canonical fields that count; all, where it is not named."
    )
    examples: tuple[Example, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract and the folder of its examples."""

    folder: Path
    file: ContractFile
    layer: Layer
    """What was written, and where."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.file.contract

    def place(self, index: int, value: str) -> str:
        """Where an example names something, as ``file:line``; where it begins, if it does not."""
        at = ("examples", index)
        for key, written in self.layer.values["examples"][index].items():
            if written == value:
                return self.layer.place((*at, key))
            if isinstance(written, list) and value in written:
                return self.layer.place((*at, key, written.index(value)))
        return self.layer.place(at)

    def place_of_connection(self, where: str) -> str:
        """Where something of the connection is written that a worker names from `connections.` on."""
        option = where.removeprefix(f"connections.{self.name}").strip(".")
        return self.layer.place(("connection", *option.split(".")))

    def path(self, name: Path) -> Path:
        """A file of the contract; examples may not point out of its folder.

        Raises:
            ConfigError: ``example_invalid``.

        """
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise ConfigError("example_invalid", str(name), "expected a file inside of the folder")
        return path

    def read(self, name: Path) -> bytes:
        """The bytes of a file of the contract.

        Raises:
            ConfigError: ``example_invalid``.

        """
        try:
            return self.path(name).read_bytes()
        except OSError as error:
            raise ConfigError("example_invalid", str(name), error.strerror or "?") from error


def read_contract(folder: Path) -> Contract:
    """Read ``contract.yaml`` of a folder.

    Raises:
        SettingsError: all that is wrong with it, each with ``file:line``.

    """
    layer = read_yaml(folder / FILE, {})
    try:
        file = ContractFile.model_validate(layer.values)
    except ValidationError as error:
        raise SettingsError(problems(error, ContractFile, layer)) from error
    found = [*_example_problems(file, layer), *_field_problems(file, layer)]
    if found:
        raise SettingsError(found)
    return Contract(folder, file, layer)


def contracts_in(paths: list[Path]) -> list[Path]:
    """The folders of contracts at or below these paths, sorted."""
    found = set()
    for path in paths:
        folder = path.parent if path.name == FILE else path
        found |= {file.parent for file in folder.rglob(FILE)}
    return sorted(found)


def _example_problems(file: ContractFile, layer: Layer) -> Iterator[ConfigError]:
    names: set[str] = set()
    for index, example in enumerate(file.examples):
        place = layer.place(("examples", index))
        if sum(path is not None for path in (example.receive, example.send, example.event)) != 1:
            detail = "expected exactly one of `receive`, `send` and `event`"
            yield ConfigError("example_invalid", place, detail)
        elif example.kind == "event":
            if example.conforms_to is None:
                yield ConfigError("example_invalid", place, "an event needs `conforms_to`")
        elif not example.expect and example.refused is None:
            yield ConfigError("example_invalid", place, "expected `expect` or `refused`")
        if example.kind != "receive" and example.entity not in DOCUMENTS:
            known = did_you_mean(example.entity, DOCUMENTS)
            detail = f"{example.entity}: no such entity{known}"
            yield ConfigError("example_invalid", place, detail)
        if example.name in names:
            yield ConfigError("example_duplicate", place, "another example has this name")
        names.add(example.name)


def _field_problems(file: ContractFile, layer: Layer) -> Iterator[ConfigError]:
    for entity, paths in file.relies_on.items():
        fields = known_fields(entity) if entity in DOCUMENTS else frozenset()
        for index, path in enumerate(paths):
            if path not in fields:
                at = ("relies_on", entity, index)
                detail = f"{dotted(at)}: {entity} has no field {path}{did_you_mean(path, fields)}"
                yield ConfigError("field_unknown", layer.place(at), detail)
