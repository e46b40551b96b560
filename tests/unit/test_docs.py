"""The documentation names nothing that does not exist, and everything that somebody must know."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from canonical.envelope import VERBS
from dlq_tools.main import build
from hub.api.access import Access
from hub.api.dead_letters import DeadLettersApi
from hub.api.documents import DocumentsApi
from hub.api.findings import FindingsApi
from hub.api.health import Health
from hub.cli.lazy import LazyGroup
from hub.intake.as2 import As2Intake
from hub.intake.http import WebhookIntake
from hub.schema import example_event
from hub.settings.model import Http, Site
from hub.telemetry.metrics import Metrics
from hub.topology import Sizes, canonical_subject, streams
from tests.support.pages import ROOT, Page, first_cells, pages

PAGES = pages()
OPERATIONS = Page(ROOT / "docs" / "operations.md")
INTERFACES = Page(ROOT / "docs" / "interfaces.md")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

_SHELL = re.compile(
    r"^(?:\$ |.*?&& |docker compose exec (?:-T )?hub |\w+=\S+ )*(?:\S*/)?crossdock (?!is at work)(.*)"
)
_SECTION_OPTION = re.compile(
    r"(servers|streams|http|workers|retry|control_points|reconcile|dead_letters)\.([a-z_]+)"
)
_PLACE = re.compile(
    r"(?:canonical|connectors|hub|dlq_tools|mappings|sandbox|config|docs|tests)/[\w./-]*"
)
_MEMBER = re.compile(r"`((?:hub|connectors)/[\w/]+\.py)` `(?:(\w+)\.)?(\w+)`")
_VARIABLE = re.compile(r"\bCROSSDOCK_[A-Z_]*[A-Z]\b")
_METRIC = re.compile(r"\bcrossdock_[a-z_]+\b")
_SUBJECT = re.compile(r"`(canonical\.\w+\.\w+)`")
_RAISED = {"Retryable", "Rejected", "InDoubt", "ConfigError"}


def _sources() -> Iterator[Path]:
    for folder in ("canonical", "connectors", "hub", "dlq_tools"):
        yield from (ROOT / folder).rglob("*.py")


def _commands(page: Page) -> Iterator[str]:
    """What follows `crossdock` in shell code and in backquotes."""
    for code in page.code("", "sh", "bash"):
        for line in code.replace("\\\n", " ").splitlines():
            found = _SHELL.match(line.partition("  #")[0].strip())
            if found and not found[1].startswith("is at work"):  # what the hub itself says
                yield found[1]
    for word in page.words:
        if word.startswith("crossdock "):
            yield word.removeprefix("crossdock ")


def _resolve(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the rest."""
    command: Any = get_command(build())
    while isinstance(command, TyperGroup) and arguments and arguments[0][0].islower():
        name = arguments[0]
        assert name in command.commands, f"crossdock has no {name}"
        command = command.load(name) if isinstance(command, LazyGroup) else command.commands[name]
        arguments = arguments[1:]
    return command, arguments


@every_page
def test_every_command_exists_and_takes_the_options_shown(page: Page) -> None:
    for written in _commands(page):
        if not written[0].islower():
            continue  # `crossdock [COMMAND]`, `crossdock ...`
        command, rest = _resolve(shlex.split(re.split(r" (?:[|<>]|&&) ", written)[0]))
        assert not (isinstance(command, TyperGroup) and rest and rest[0] != "..."), written
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        given = {word.partition("=")[0] for word in rest if re.match(r"-+[a-z]", word)}
        assert given <= known | {"--help"}, f"crossdock {written}"


@every_page
def test_every_subcommand_named_by_itself_exists(page: Page) -> None:
    groups = {
        name: set(command.commands)
        for name, command in cast("LazyGroup", get_command(build())).loaded().items()
        if isinstance(command, TyperGroup)
    }
    for word in page.words:
        group, _, rest = word.partition(" ")
        if group in groups and rest[:1].islower() and page.path.parent.name != "mappings":
            assert rest.split()[0] in groups[group], word


def test_every_command_stands_in_the_table_of_what_scripts_may_rely_on() -> None:
    groups = cast("LazyGroup", get_command(build())).loaded()
    known = {
        f"{name} {each}" if isinstance(command, TyperGroup) else name
        for name, command in groups.items()
        for each in (command.commands if isinstance(command, TyperGroup) else [name])
    }
    told = {
        word.removeprefix("crossdock ")
        for word in INTERFACES.words
        for word in [" ".join(re.findall(r"^(?:crossdock )?[a-z]+(?: [a-z-]+)?", word))]
    }
    assert sorted(known - told) == []


def test_every_stream_has_its_row_among_what_grows() -> None:
    names = {each.name for each in streams("ledger", Sizes())}
    told = {word for word in OPERATIONS.words if word in names}
    assert told == names


def test_what_the_http_pages_says_of_paths_methods_and_parameters_is_what_is_answered() -> None:
    app = (ROOT / "hub" / "api" / "app.py").read_text("utf-8")
    told = re.findall(r"`([a-z_]+)` \((404|405|422)\b", INTERFACES.text)
    assert {code for code, _ in told} == {"path_unknown", "method_not_allowed", "request_invalid"}
    for code, status in told:
        assert re.search(rf'{status}[:,] "{code}"', app), code


def test_no_page_and_no_source_names_a_document_that_is_not_here() -> None:
    texts = {str(page.path): page.text for page in PAGES}
    texts |= {str(path): path.read_text("utf-8") for path in _sources()}
    assert [name for name, text in texts.items() if "DESIGN section" in text] == []


@every_page
def test_every_option_of_the_configuration_exists(page: Page) -> None:
    for word in page.words:
        found = _SECTION_OPTION.fullmatch(word)
        if found and found[2] != "json":  # servers.json is a file
            section: Any = Site.model_fields[found[1]].annotation
            assert found[2] in section.model_fields, word


@every_page
def test_every_variable_is_read_somewhere(page: Page) -> None:
    shipped = [*_sources(), ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "config/demo.yaml"]
    read = " ".join(path.read_text("utf-8") for path in shipped)
    assert sorted(set(_VARIABLE.findall(page.text)) - set(_VARIABLE.findall(read))) == []


@every_page
def test_every_file_and_folder_exists(page: Page) -> None:
    named = {word for word in page.words if _PLACE.fullmatch(word)} - set(page.files())
    missing = [word for word in sorted(named) if not (ROOT / word).exists()]
    assert [word for word in missing if "dockside" not in word] == []  # the guide's example


@every_page
def test_every_step_named_in_the_code_is_there(page: Page) -> None:
    for path, owner, member in _MEMBER.findall(page.prose):
        source = (ROOT / path).read_text("utf-8")
        assert re.search(rf"^class {owner}\b", source, re.M) or not owner, f"{path} {owner}"
        assert re.search(rf"def {member}\(", source), f"{path} {owner}.{member}"


@every_page
def test_every_link_leads_somewhere(page: Page) -> None:
    for link in page.links:
        if re.match(r"https?:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.exists(), link
        if anchor:
            assert anchor in Page(path).anchors, link


@every_page
def test_nothing_says_where_it_was_written(page: Page) -> None:
    assert re.findall(r"(?<![\w.$}])/(?:home|root|work|tmp)/\S+", page.text) == []


def test_every_metric_named_exists_and_every_metric_is_explained() -> None:
    families = Metrics().registry.collect()
    known = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}
    for page in PAGES:
        assert set(_METRIC.findall(page.text)) <= known, page.name
    assert set(first_cells(OPERATIONS.section("Metrics"))) >= known


def test_every_log_event_named_is_logged() -> None:
    text = " ".join(path.read_text("utf-8") for path in (ROOT / "hub").rglob("*.py"))
    events = re.split(r"^\| event \|", OPERATIONS.section("Logs"), flags=re.M)[1]
    named = first_cells(events.partition("###")[0])
    assert named
    assert [word for word in named if f'"{word}"' not in text] == []


def test_every_error_code_named_exists_and_every_error_code_is_explained() -> None:
    explained = set(first_cells(OPERATIONS.section("Error codes")))
    written = set(re.findall(r"\w+", " ".join(path.read_text("utf-8") for path in _sources())))
    assert sorted(explained - written) == []
    raised = {code for path in _sources() if _is_ours(path) for code in _codes(path)}
    assert sorted(raised - explained) == [], "explain it in docs/operations.md"


def _is_ours(path: Path) -> bool:
    """Codes of a system are explained in its folder's README."""
    within = path.relative_to(ROOT).parts
    return within[0] != "connectors" or within[1].endswith(".py") or within[1] == "transports"


def _codes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first = node.args[0] if node.args else None
            if node.func.id in _RAISED and isinstance(first, ast.Constant):
                yield str(first.value)


def test_every_path_of_the_http_side_is_listed() -> None:
    nothing = cast("Any", None)
    routers = (
        Health({}, frozenset()).routes(Metrics()),
        DocumentsApi(nothing, nothing, Access({})).routes(),
        FindingsApi(nothing, nothing, Access({})).routes(),
        DeadLettersApi(nothing, Access({})).routes(),
        WebhookIntake(nothing, {}, Http()).routes(),
        As2Intake(nothing, [], nothing).routes(),
    )
    served = {
        f"{method} {route.path}"
        for router in routers
        for route in cast("list[Any]", router.routes)
        for method in route.methods
    }
    listed = {
        word.replace("<connection>", "{connection}")
        for word in first_cells(INTERFACES.section("HTTP"))
        if word.startswith(("GET ", "POST "))
    }
    assert listed == served


def test_every_subject_of_the_events_is_listed() -> None:
    published = {canonical_subject(entity, verb) for entity in VERBS for verb in VERBS[entity]}
    assert set(_SUBJECT.findall(INTERFACES.prose)) == published


def test_the_event_shown_is_the_one_that_is_exported() -> None:
    shown = [json.loads(code) for code in INTERFACES.code("json")]
    assert example_event("order", "released") in shown
