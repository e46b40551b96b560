"""Writes the files that a contract expects and does not have yet: what the hub makes today.

For whoever writes a contract: read what was written, and keep it if it is what you mean.
"""

from __future__ import annotations

from pathlib import Path

from hub.contracts.model import Contract
from hub.contracts.verifier import Verifier


def record(verifier: Verifier, contract: Contract, *, again: bool = False) -> list[Path]:
    """Write the missing files of a contract.

    Args:
        verifier: makes them.
        contract: whose examples.
        again: write those that are there, too.

    Returns:
        The files written.

    Raises:
        ConfigError: an example's own file cannot be read.
        Rejected: what is to be sent is refused.

    """
    written = []
    for example in contract.file.examples:
        paths = [contract.path(name) for name in (*example.expect, *example.answers)]
        if all(path.exists() for path in paths) and not again:
            continue
        for name, data in verifier.made(contract, example).items():
            path = contract.path(name)
            if again or not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                written.append(contract.folder / name)
    return written
