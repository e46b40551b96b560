"""What workers are told: everything they need, and no secret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from canonical.errors import ConfigError
from hub.settings.model import Site
from hub.workers.spec import worker_spec
from hub.workers.tools import Tools
from tests.support.paper import PaperConnector, paper_spec

SITE = {
    "control_points": {"reference": "desk"},
    "partners": {"acme": {"name": "Acme", "customer_number": "C10010"}},
    "connections": {
        "desk": {
            "system": "paper",
            "partner": "acme",
            "transport": {"kind": "folder", "inbox": "in"},
            "options": {"stamp": "x", "webhook_secrets": ["env:ONE", "env:TWO"], "deep": {"token": "env:T"}},
            "bindings": {"colour": "blue"},
        }
    },
}  # fmt: skip


def test_a_connection_brings_its_partner_and_bindings(tmp_path: Path) -> None:
    spec = worker_spec(Site.model_validate(SITE), {"paper": PaperConnector()}, tmp_path)
    desk = spec.connections["desk"]
    assert desk.system == "paper"
    assert desk.bindings == {"colour": "blue"}
    assert desk.partner == {
        "key": "acme",
        "name": "Acme",
        "customer_number": "C10010",
        "currency": "USD",
    }


def test_secrets_and_their_references_stay_behind(tmp_path: Path) -> None:
    spec = worker_spec(Site.model_validate(SITE), {"paper": PaperConnector()}, tmp_path)
    options = spec.connections["desk"].options
    assert options["stamp"] == "x"
    assert "env:" not in repr(options)
    assert {*options["webhook_secrets"], options["deep"]["token"]} == {"0" * 64}


def test_a_system_without_connector_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        worker_spec(Site.model_validate(SITE), {}, tmp_path)
    assert (error.value.code, error.value.where) == ("system_unknown", "connections.desk.system")


def test_only_mappings_of_the_systems_in_use_are_read(tmp_path: Path) -> None:
    for system in ("paper", "stone"):
        (tmp_path / system).mkdir()
        (tmp_path / system / "order.order.jsonata").write_text("{}")
    spec = worker_spec(Site.model_validate(SITE), {"paper": PaperConnector()}, tmp_path)
    assert [file.system for file in spec.mappings] == ["paper"]


@pytest.mark.parametrize("value", [1.5, 2**60, {"deep": [0.1]}, object()])
def test_a_binding_that_would_lose_its_value_is_refused(value: object) -> None:
    spec = paper_spec()
    desk = replace(spec.connections["desk"], bindings={"rate": value})
    with pytest.raises(ConfigError) as error:
        Tools(replace(spec, connections={"desk": desk}))
    assert error.value.code == "binding_not_plain"
    assert error.value.where == "connections.desk.bindings"


def test_options_that_the_connector_does_not_know_are_refused() -> None:
    spec = paper_spec()
    desk = replace(spec.connections["desk"], options={"stampp": "x"})
    with pytest.raises(ConfigError) as error:
        Tools(replace(spec, connections={"desk": desk}))
    assert (error.value.code, error.value.where) == (
        "options_invalid",
        "connections.desk.options.stampp",
    )
