"""Checks that no single section can make: whether the parts of a site fit together."""

from __future__ import annotations

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
            `check_parts`, `check_routes`, `check_usage` and `check_reconcile`.

    """
    found = [
        *check_parts(loaded, known),
        *check_routes(loaded, known),
        *check_usage(loaded, known),
        *check_reconcile(loaded, known.jobs),
    ]
    if found:
        raise SettingsError(found)
