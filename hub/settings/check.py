"""Checks that no single section can make: whether the parts of a site fit together."""

from __future__ import annotations

from canonical.errors import ConfigError
from hub.settings.check_bindings import check_bindings, check_own_mappings
from hub.settings.check_callers import check_callers
from hub.settings.check_parts import Known, check_parts
from hub.settings.check_reconcile import check_reconcile
from hub.settings.check_routes import check_routes
from hub.settings.check_usage import check_usage
from hub.settings.loader import Loaded
from hub.settings.places import SettingsError


def check(loaded: Loaded, known: Known) -> None:
    """Check a whole site.

    Raises:
        SettingsError: everything that does not fit, with its ``file:line``; the codes are those of
            `check_parts`, `check_callers`, `check_bindings`, `check_routes`, `check_usage` and `check_reconcile`.

    """
    found = misfits(loaded, known)
    if found:
        raise SettingsError(found)


def misfits(loaded: Loaded, known: Known) -> list[ConfigError]:
    """Return everything that does not fit in a site."""
    return [
        *check_parts(loaded, known),
        *check_callers(loaded),
        *check_bindings(loaded, known),
        *check_own_mappings(loaded, known),
        *check_routes(loaded, known),
        *check_usage(loaded, known),
        *check_reconcile(loaded, known.jobs),
    ]
