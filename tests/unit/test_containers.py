"""The container files agree with what the hub wants; no container engine is needed to see that."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from hub.servers.versions import MINIMUM
from hub.settings.environment import Overridable
from hub.settings.names import no_such_option
from tests.support.processes import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["nats", "postgres", "redis"])
def test_the_servers_are_new_enough(name: str) -> None:
    image, _, tag = COMPOSE["services"][name]["image"].partition(":")
    version = re.match(r"\d+(?:\.\d+)*", tag)
    assert image == name
    assert version is not None
    assert tuple(int(part) for part in version[0].split(".")) >= MINIMUM[name]


def test_every_service_is_watched_and_keeps_its_data() -> None:
    for name, service in COMPOSE["services"].items():
        assert "healthcheck" in service, name
        kept = [str(volume).split(":")[0] for volume in service["volumes"]]
        assert name in kept, name
    assert COMPOSE["volumes"].keys() == COMPOSE["services"].keys()


def test_no_service_has_a_password_of_ours() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+PASSWORD)[^}]*\}", text)) == {
        "NATS_PASSWORD",
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
    }
    assert re.findall(r"\$\{\w+PASSWORD(?!:\?)[^}]*\}", text) == []  # each must be given


def test_the_image_sets_options_that_there_are() -> None:
    names = re.findall(r"CROSSDOCK_(\w+)=", DOCKERFILE)
    options = [tuple(name.lower().split("__")) for name in names if name != "CONFIG"]
    assert options
    assert [no_such_option(Overridable, option) for option in options] == [None] * len(options)


def test_the_image_runs_without_rights_and_says_when_it_is_ready() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER crossdock\n" in final
    assert "/readyz" in final.partition("HEALTHCHECK")[2]
    assert '\nENTRYPOINT ["crossdock"]\nCMD ["run"]\n' in final


def test_the_image_leaves_out_what_is_not_the_hub() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", ".crossdock", "tests"} <= set(ignored)
    assert all(not PurePosixPath(name).is_absolute() for name in ignored)
