"""Which role allows what."""

from __future__ import annotations

from typing import get_args

from hub.settings.model import Role

_ORDER: tuple[Role, ...] = get_args(Role)


def may(role: Role, needed: Role) -> bool:
    """Return whether a role allows what another one is needed for."""
    return _ORDER.index(role) >= _ORDER.index(needed)
