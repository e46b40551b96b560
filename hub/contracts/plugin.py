"""The pytest plugin: ``pytest FOLDER`` runs every example of every ``contract.yaml`` below it.

For connector authors it has the fixtures ``vendor_stub`` and ``business_central_stub``: a vendor's
API to call in tests (`hub.contracts.stubs`; the extra ``stubs`` brings respx, which they need).

Loaded by its entry point in every pytest run, so nothing of the hub is imported before the first
contract is met.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.contracts.model import Contract, Example
    from hub.contracts.stubs.business_central import BusinessCentralStub
    from hub.contracts.stubs.vendor import VendorStub
    from hub.contracts.verifier import Verifier

_FILE = "contract.yaml"


@pytest.fixture
def vendor_stub() -> Iterator[Callable[[str], VendorStub]]:
    """Make stubs of APIs by their base address; nothing else can be called meanwhile."""
    respx = pytest.importorskip("respx", reason="stubs need respx: install crossdock[stubs]")
    from hub.contracts.stubs.vendor import VendorStub  # noqa: PLC0415  # see the module's docstring

    with respx.mock(assert_all_called=False) as router:
        yield lambda base: VendorStub(router, base)


@pytest.fixture
def business_central_stub() -> Iterator[BusinessCentralStub]:
    """Business Central's API; its `options` make a connection to it."""
    respx = pytest.importorskip("respx", reason="stubs need respx: install crossdock[stubs]")
    from hub.contracts.stubs.business_central import BusinessCentralStub  # noqa: PLC0415

    with respx.mock(assert_all_called=False) as router:
        yield BusinessCentralStub(router)


class ContractBroken(Exception):
    """An example does not hold; the text says why, line by line."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ContractModule | None:
    """Take ``contract.yaml`` files."""
    if file_path.name != _FILE:
        return None
    return ContractModule.from_parent(parent, path=file_path)


class ContractModule(pytest.File):
    """One contract."""

    def collect(self) -> Iterator[ContractItem]:
        """Yield its examples."""
        from connectors.registry import CONNECTORS  # noqa: PLC0415  # see the module's docstring
        from hub.contracts.model import read_contract  # noqa: PLC0415
        from hub.contracts.verifier import Verifier  # noqa: PLC0415
        from hub.mapping.files import shipped_mappings  # noqa: PLC0415

        contract = read_contract(self.path.parent)
        verifier = Verifier(CONNECTORS, shipped_mappings())
        for example in contract.file.examples:
            item = ContractItem.from_parent(
                self, name=f"{contract.name}::{example.name}", check=(verifier, contract, example)
            )
            if contract.file.pending:
                item.add_marker(pytest.mark.xfail(reason="the contract is pending", strict=False))
            yield item


class ContractItem(pytest.Item):
    """One example."""

    def __init__(self, *, check: tuple[Verifier, Contract, Example], **given: Any) -> None:
        super().__init__(**given)
        self._check = check

    def runtest(self) -> None:
        """Check the example."""
        verifier, contract, example = self._check
        problems = verifier.check_one(contract, example).problems
        if problems:
            raise ContractBroken("\n".join(problems))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | Any:
        """Show what a partner can use, not our stack."""
        if isinstance(excinfo.value, ContractBroken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say which example of which contract it is."""
        return self.path, 0, self.name
