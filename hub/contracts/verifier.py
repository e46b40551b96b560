"""Checks contracts: the hub's own codecs, mappings and rules on a partner's examples, offline.

No server is needed and nothing is sent. The moment and the control numbers are fixed, so that the
same hub gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from canonical import Document
from canonical.envelope import UNVERSIONED, VERBS
from canonical.errors import ConfigError, HubError
from canonical.identity import business_key, content_id, event_id, reference_for
from connectors.base import Connector, Numbers, Receipt
from hub.contracts.model import Contract, Example, Refusal, read_contract
from hub.contracts.outcome import Checked, Outcome
from hub.contracts.payload_schema import misfits
from hub.events import Subject, canonical_event
from hub.fields import counts
from hub.mapping.difference import differences
from hub.mapping.files import mapping_files
from hub.mapping.validation import validate
from hub.settings.places import SettingsError
from hub.workers.jobs import Failed, Given, Normalized, NormalizeResult, RenderJob
from hub.workers.progress import NoProgress
from hub.workers.reading import normalize
from hub.workers.spec import ConnectionSpec, WorkerSpec
from hub.workers.tools import Tools
from hub.workers.writing import render

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_NUMBERS = Numbers(1, 1, _AT)
_SECONDS = 10.0


class Verifier:
    """Checks contracts with one set of connectors and mappings.

    Args:
        connectors: the registry.
        mappings: the folder of mappings.

    """

    def __init__(self, connectors: Mapping[str, Connector], mappings: Path) -> None:
        self._connectors = connectors
        self._mappings = mappings

    def check(self, contract: Contract) -> Checked:
        """Check all examples of a contract.

        Raises:
            SettingsError: its connection's options are wrong, or files of examples cannot be read;
                each with ``file:line``.

        """
        bench = _Bench(contract, self._placed_tools(contract))
        file = contract.file
        return Checked(
            contract.name,
            file.version,
            file.owner,
            file.key,
            file.connection.system,
            file.pending,
            None if file.deprecated_on is None else file.deprecated_on.isoformat(),
            dict(file.relies_on),
            tuple(_outcomes(bench, contract)),
        )

    def made(self, contract: Contract, example: Example) -> dict[Path, bytes]:
        """What the hub makes of an example, by the file that is to hold it; raises as `check`."""
        return _Bench(contract, self._tools(contract)).made(example)

    def check_one(self, contract: Contract, example: Example) -> Outcome:
        """Check one example; raises as `check`."""
        return _Bench(contract, self._tools(contract)).outcome(example)

    def _placed_tools(self, contract: Contract) -> Tools:
        try:
            return self._tools(contract)
        except ConfigError as error:
            place = contract.place_of_connection(error.where)
            raise SettingsError([ConfigError(error.code, place, error.detail)]) from None

    def _tools(self, contract: Contract) -> Tools:
        file = contract.file
        facts = {"key": file.key, **file.partner.model_dump(include=_FACTS, exclude_none=True)}
        link = file.connection
        spec = ConnectionSpec(link.system, dict(link.options), facts, dict(link.bindings))
        files = tuple(mapping_files(self._mappings, {link.system}))
        return Tools(WorkerSpec(self._connectors, files, {contract.name: spec}))


_FACTS = {"name", "customer_number", "currency"}


class _Bench:
    """One contract being checked."""

    def __init__(self, contract: Contract, tools: Tools) -> None:
        self._contract = contract
        self._tools = tools

    def outcome(self, example: Example) -> Outcome:
        """What comes of one example, and what is wrong with that."""
        match example.kind:
            case "receive":
                return self._received(example)
            case "send":
                return self._sent(example)
            case _:
                return self._published(example)

    def made(self, example: Example) -> dict[Path, bytes]:
        """What comes of one example, by the file that its contract names for it."""
        if example.kind == "event" or example.refused is not None:
            return {}
        if example.kind == "send":
            return {example.expect[0]: self._rendered(example)}
        result = self._normalized(example)
        texts = [
            orjson.dumps(orjson.loads(each.canonical_json), option=orjson.OPT_INDENT_2) + b"\n"
            for each in result.documents
            if isinstance(each, Normalized)
        ]
        made = dict(zip(example.expect, texts, strict=False))
        return made | dict(zip(example.answers, self._answers(result), strict=False))

    def _normalized(self, example: Example) -> NormalizeResult:
        receipt = Receipt(
            "contract",
            self._contract.name,
            "contract",
            _AT,
            self._contract.read(example.source),
            example.flow,
            facts=example.headers,
        )
        (result,) = normalize(self._tools, [(receipt, Given(_SECONDS, NoProgress()))])
        return result

    def _answers(self, result: NormalizeResult) -> list[bytes]:
        codec = self._tools.connection(self._contract.name).codec
        return [codec.encode(answer.flow, answer.body, _NUMBERS) for answer in result.answers]

    def _received(self, example: Example) -> Outcome:
        body, result = self._contract.read(example.source), self._normalized(example)
        problems = list(misfits(self._contract, example, body))
        if example.refused is not None:
            problems += _refusal_problems(example.refused, result)
            return Outcome(example.name, example.kind, tuple(problems), (), _produced(result))
        notes: list[str] = []
        problems += [_failure(each) for each in result.documents if isinstance(each, Failed)]
        made = [each for each in result.documents if isinstance(each, Normalized)]
        if len(made) != len(example.expect):
            problems.append(f"expected {len(example.expect)} documents, got {len(made)}")
        for document, expected in zip(made, example.expect, strict=False):
            for counted, line in self._differences(document, expected):
                (problems if counted else notes).append(line)
        problems += self._answer_problems(example, result)
        return Outcome(example.name, example.kind, tuple(problems), tuple(notes), _produced(result))

    def _differences(self, document: Normalized, expected: Path) -> Iterator[tuple[bool, str]]:
        relied = self._contract.file.relies_on.get(document.entity)
        wanted = _without_null(_json(self._contract, expected))
        for line in differences(wanted, orjson.loads(document.canonical_json)):
            place = line.partition(": ")[0]
            yield relied is None or counts(place, relied), f"{expected}: {line}"

    def _answer_problems(self, example: Example, result: NormalizeResult) -> Iterator[str]:
        if not example.answers:
            return
        sent = self._answers(result)
        if len(sent) != len(example.answers):
            yield f"expected {len(example.answers)} answers, got {len(sent)}"
        for actual, path in zip(sent, example.answers, strict=False):
            yield from _text_problems(str(path), self._contract.read(path), actual)

    def _sent(self, example: Example) -> Outcome:
        try:
            made = self._rendered(example)
        except HubError as error:
            return Outcome(example.name, example.kind, tuple(_error_problems(example, error)))
        if example.refused is not None:
            problems = [f"expected the refusal {example.refused.code}, got a document"]
        else:
            path = example.expect[0]
            problems = list(_text_problems(str(path), self._contract.read(path), made))
        problems += misfits(self._contract, example, made)
        produced = (made.decode("utf-8", "replace"),)
        return Outcome(example.name, example.kind, tuple(problems), (), produced)

    def _rendered(self, example: Example) -> bytes:
        document = self._document(example)
        key = business_key(document, self._contract.file.key)
        control = {"reference": reference_for(key), "number": str(_NUMBERS.interchange)}
        text = document.model_dump_json(exclude_none=True).encode()
        job = RenderJob(self._contract.name, example.entity, example.flow, text, control, _NUMBERS)
        return render(self._tools, job, Given(_SECONDS, NoProgress())).encoded

    def _published(self, example: Example) -> Outcome:
        document = self._document(example)
        key, content = str(business_key(document, self._contract.file.key)), content_id(document)
        verb = VERBS[example.entity][0]
        subject = Subject(
            event_id=event_id(key, content, verb, 1),
            entity=example.entity,
            verb=verb,
            connection=self._contract.name,
            business_key=key,
            document_id="00000000-0000-5000-8000-000000000000",
            content_id=content,
            version=None if example.entity in UNVERSIONED else 1,
        )
        data = document.model_dump_json(exclude_none=True).encode()
        payload = canonical_event(subject, data, _AT).payload
        problems = tuple(misfits(self._contract, example, payload))
        return Outcome(example.name, example.kind, problems, (), (orjson.loads(payload),))

    def _document(self, example: Example) -> Document:
        return validate(example.entity, self._contract.read(example.source))


def _json(contract: Contract, path: Path) -> Any:
    try:
        return orjson.loads(contract.read(path))
    except orjson.JSONDecodeError as error:
        raise ConfigError(
            "example_invalid", str(path), f"expected JSON: line {error.lineno}"
        ) from None


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


def _refusal_problems(expected: Refusal, result: NormalizeResult) -> Iterator[str]:
    refusals = [each for each in result.documents if isinstance(each, Failed)]
    if any(_is(expected, each.error) for each in refusals):
        return
    got = "; ".join(f"{each.error.code} at {each.error.where}" for each in refusals)
    at = f" at {expected.where}" if expected.where else ""
    yield f"expected the refusal {expected.code}{at}, got {got or 'a document'}"


def _is(expected: Refusal, error: HubError) -> bool:
    if expected.code != error.code:
        return False
    return (
        expected.where is None
        or expected.where == error.where
        or error.where.endswith(f": {expected.where}")
    )


def _error_problems(example: Example, error: HubError) -> Iterator[str]:
    if example.refused is None:
        yield f"refused: {error}"
    elif not _is(example.refused, error):
        yield f"expected the refusal {example.refused.code}, got {error.code} at {error.where}"


def _failure(failed: Failed) -> str:
    place = f"{failed.place}: " if failed.place else ""
    return f"{place}refused: {failed.error}"


def _text_problems(name: str, expected: bytes, actual: bytes) -> Iterator[str]:
    """Compare texts line by line; a line break at the end of a file does not count."""
    left, right = _lines(expected), _lines(actual)
    for number, (wanted, got) in enumerate(zip(left, right, strict=False), 1):
        if wanted != got:
            yield f"{name}: segment or line {number}: expected {wanted!r}, got {got!r}"
            return
    if len(left) != len(right):
        yield f"{name}: expected {len(left)} segments or lines, got {len(right)}"


def _lines(data: bytes) -> list[str]:
    text = data.decode("utf-8", "replace").replace("\r", "").rstrip("\n")
    for terminator in ("~", "'"):
        if text.endswith(terminator):
            return [part.lstrip("\n") for part in text.removesuffix(terminator).split(terminator)]
    return text.split("\n")


def _produced(result: NormalizeResult) -> tuple[Any, ...]:
    return tuple(_made(each) for each in result.documents)


def _made(each: Any) -> Any:
    if isinstance(each, Normalized):
        return {"entity": each.entity, "document": orjson.loads(each.canonical_json)}
    if isinstance(each, Failed):
        return {"refused": each.error.code, "where": each.error.where}
    return {"acknowledged": each.flow}


def _outcomes(bench: _Bench, contract: Contract) -> Iterator[Outcome]:
    """Check all examples; those that cannot be are told together, after the last."""
    wrong = []
    for index, example in enumerate(contract.file.examples):
        try:
            yield bench.outcome(example)
        except ConfigError as error:
            place = contract.place(index, error.where)
            wrong.append(ConfigError(error.code, place, f"{error.where}: {error.detail}"))
    if wrong:
        raise SettingsError(wrong)


def check_all(
    verifier: Verifier, folders: Iterable[Path]
) -> tuple[list[Checked], list[ConfigError]]:
    """Check the contracts of several folders, in their order; none keeps another from its check.

    Returns:
        The contracts that could be checked, and all that is wrong with the others themselves.
    """
    checked: list[Checked] = []
    mistakes: list[ConfigError] = []
    for folder in folders:
        try:
            checked.append(verifier.check(read_contract(folder)))
        except SettingsError as error:
            mistakes += error.problems
    return checked, mistakes
