"""Fingerprints: one cause, one fingerprint."""

from __future__ import annotations

import pytest

from hub.fingerprint import fingerprint, general


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("PO1[3].PO104", "PO1[*].PO104"),
        ("lines[12].unit_price", "lines[*].unit_price"),
        ("ISA 000000905 GS 1 ST 0001", "ISA * GS * ST *"),
        ("partners/acme.yaml:14", "partners/acme.yaml:*"),
        ("", ""),
    ],
)
def test_counts_are_taken_out_and_names_are_kept(where: str, expected: str) -> None:
    assert general(where) == expected


def test_the_same_fault_in_another_line_has_the_same_fingerprint() -> None:
    one, other = (fingerprint("map", "unit_unknown", f"lines[{n}].unit", "bc") for n in (3, 17))
    assert one == other


def test_every_part_counts() -> None:
    base = ("map", "unit_unknown", "lines[*].unit", "bc", "v1")
    seen = {fingerprint(*base)}
    for i in range(len(base)):
        seen.add(fingerprint(*(f"{part}x" if i == j else part for j, part in enumerate(base))))
    assert len(seen) == len(base) + 1
