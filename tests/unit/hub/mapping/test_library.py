"""Mapping files are found by name, versioned by text and compiled once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from canonical.errors import ConfigError
from hub.mapping.files import flow_word, mapping_files, read_mapping, shipped_mappings
from hub.mapping.library import Library


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with mappings of two systems."""
    for name, text in {
        "x12/850.order.jsonata": '{"from": "850"}',
        "x12/850.shipment.jsonata": '{"from": "850 too"}',
        "x12/order.940.jsonata": '{"to": "940"}',
        "shop/orders_create.order.jsonata": '{"from": "shop"}',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_flow_may_become_several_entities(root: Path) -> None:
    found = Library(mapping_files(root)).inbound("x12", "850")
    assert [each.entity for each in found] == ["order", "shipment"]
    assert found[0].mapping.apply({}, {}) == {"from": "850"}


def test_an_outbound_mapping_is_found_by_entity_and_flow(root: Path) -> None:
    found = Library(mapping_files(root)).outbound("x12", "order", "940")
    assert found.mapping.apply({}, {}) == {"to": "940"}


def test_the_version_is_the_hash_of_the_text(root: Path) -> None:
    found = Library(mapping_files(root)).outbound("x12", "order", "940")
    assert found.version == hashlib.sha256(b'{"to": "940"}').hexdigest()[:12]
    assert found.name == "mappings/x12/order.940.jsonata"


def test_a_flow_with_a_slash_has_a_file_name(root: Path) -> None:
    assert flow_word("orders/create") == "orders_create"
    assert Library(mapping_files(root)).inbound("shop", "orders/create")


def test_a_flow_cannot_leave_the_folder() -> None:
    assert flow_word("../../etc/passwd") == "______etc_passwd"


def test_only_the_systems_that_are_asked_for_are_read(root: Path) -> None:
    assert {file.system for file in mapping_files(root, {"shop"})} == {"shop"}


@pytest.mark.parametrize("method", ["inbound", "outbound"])
def test_a_missing_mapping_is_named(root: Path, method: str) -> None:
    library = Library(mapping_files(root))
    with pytest.raises(ConfigError) as error:
        _ = (
            library.inbound("x12", "810")
            if method == "inbound"
            else library.outbound("x12", "order", "810")
        )
    assert error.value.code == "mapping_missing"
    assert "810" in error.value.where


@pytest.mark.parametrize("name", ["850.jsonata", "850.ordre.jsonata", "a b.order.jsonata"])
def test_a_file_whose_name_means_nothing_is_refused(root: Path, name: str) -> None:
    (root / "x12" / name).write_text("{}")
    with pytest.raises(ConfigError) as error:
        list(mapping_files(root))
    assert error.value.code == "mapping_name"


def test_a_file_that_is_no_text_is_refused(root: Path) -> None:
    path = root / "x12" / "997.order.jsonata"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as error:
        read_mapping(path, root)
    assert error.value.code == "mapping_unreadable"


def test_the_shipped_mappings_are_beside_the_packages() -> None:
    assert (shipped_mappings() / "README.md").is_file()
