"""Rules of reconciliation that name nothing are told with their line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.reconcile.runner import JOBS
from hub.settings.check_reconcile import check_reconcile
from hub.settings.loader import load

WriteSite = Callable[[str], Path]


@pytest.mark.parametrize(
    ("rule", "code", "detail"),
    [
        ("warehouses: {bcc: MAIN}", "connection_unknown", "reconcile.warehouses.bcc"),
        ("purchasing: [bcc]", "connection_unknown", "reconcile.purchasing[0]"),
        ("answering: [bcc]", "connection_unknown", "reconcile.answering[0]"),
        ("owners: {price-drif: ann}", "job_unknown", "reconcile.owners.price-drif"),
        ("packs: {A: {CTN: 12}}", "unit_unknown", "reconcile.packs.A.CTN"),
        ("packs: {A: {XCT: 0}}", "value_invalid", "reconcile.packs.A.XCT"),
    ],
)
def test_a_name_that_nobody_has_is_told_with_its_place(
    write_site: WriteSite, site_text: str, rule: str, code: str, detail: str
) -> None:
    loaded = load(write_site(f"{site_text}reconcile:\n  {rule}\n"))
    (found,) = check_reconcile(loaded, JOBS)
    assert (found.code, found.detail.startswith(detail)) == (code, True)
    assert found.where.startswith("site.yaml:")


def test_rules_that_fit_pass(write_site: WriteSite, site_text: str) -> None:
    rules = (
        "  warehouses: {bc: '*'}\n  purchasing: [bc]\n  owners: {price-drift: ann}\n"
        "  packs: {'*': {XCT: 12}}\n"
    )
    loaded = load(write_site(f"{site_text}reconcile:\n{rules}"))
    assert list(check_reconcile(loaded, JOBS)) == []
