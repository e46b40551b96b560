"""Checks of `reconcile`: a name that nobody has would silently compare nothing.

Codes: ``connection_unknown``; ``job_unknown``; ``unit_unknown``; ``value_invalid``: a pack of nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from canonical.errors import ConfigError
from canonical.units import UNITS
from hub.settings.loader import Loaded
from hub.settings.names import did_you_mean
from hub.settings.places import OptionPath, dotted

Problems = Iterator[ConfigError]


def check_reconcile(loaded: Loaded, jobs: Collection[str]) -> Problems:
    """All that does not fit in the rules of reconciliation."""
    rules = loaded.site.reconcile
    connections = loaded.site.connections
    for name in rules.warehouses:
        yield from _known(
            loaded, "connection_unknown", ("reconcile", "warehouses", name), connections
        )
    for option, names in (("purchasing", rules.purchasing), ("answering", rules.answering)):
        for index, name in enumerate(names):
            path = ("reconcile", option, index)
            yield from _known(loaded, "connection_unknown", path, connections, name)
    for name in rules.owners if jobs else ():
        yield from _known(loaded, "job_unknown", ("reconcile", "owners", name), jobs)
    for item, sizes in rules.packs.items():
        for unit, pieces in sizes.items():
            size: OptionPath = ("reconcile", "packs", item, unit)
            yield from _known(loaded, "unit_unknown", size, UNITS)
            if pieces <= 0:
                yield _problem(loaded, "value_invalid", size, "expected a number above 0")


def _known(
    loaded: Loaded, code: str, path: OptionPath, names: Collection[str], name: str = ""
) -> Problems:
    """A problem where `name`, or the last step of the path, is none of the names."""
    given = name or str(path[-1])
    if given not in names:
        yield _problem(loaded, code, path, f"no such name{did_you_mean(given, names)}")


def _problem(loaded: Loaded, code: str, path: OptionPath, detail: str) -> ConfigError:
    return ConfigError(code, loaded.layer.place(path), f"{dotted(path)}: {detail}")
