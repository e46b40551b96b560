"""Asking targets whether they have something, without changing anything.

Codes: ``target_unknown`` (the site has no such target any more), ``cannot_ask``,
``look_up_timeout``, ``look_up_failed``, and those of the site's options and of the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from canonical.errors import ConfigError, HubError, Rejected, Retryable
from connectors.base import Comparable, Outbound, Settled
from hub.connections import live
from hub.delivery.carriers import Books
from hub.delivery.parts import TargetSpec
from hub.differences import Difference, beyond
from hub.settings.model import Site

TargetOf = Callable[[str], TargetSpec]
"""Builds the target of a name; raises `HubError` where it cannot."""


def site_targets(site: Site, books: Books | None = None) -> TargetOf:
    """Return what builds the targets of a site, each alone.

    One at a time, so that a secret that is missing for one does not keep the others from being asked.
    """

    def target(name: str) -> TargetSpec:
        connection = site.connections.get(name)
        if connection is None:
            raise ConfigError("target_unknown", f"connections.{name}", "no such connection")
        alone = site.model_copy(update={"connections": {name: connection}})
        found = live(alone)[name].target(books)
        if found is None:
            raise ConfigError("target_unknown", f"connections.{name}", "nothing can be sent to it")
        return found

    return target


@dataclass
class Targets:
    """The targets that have been asked so far; `close` releases them."""

    target_of: TargetOf
    _open: dict[str, TargetSpec] = field(default_factory=dict)

    def get(self, name: str) -> TargetSpec:
        """Return a target, building it the first time.

        Raises:
            HubError: it cannot be built.
        """
        if name not in self._open:
            self._open[name] = self.target_of(name)
        return self._open[name]

    async def close(self) -> None:
        """Release their clients."""
        for target in self._open.values():
            await target.client.close()
        self._open.clear()


async def compare(target: TargetSpec, outbound: Outbound) -> Sequence[Difference] | None:
    """Return where the target has something else than we would send; None: nobody can tell.

    Asking for it must not turn a known answer into an unknown one, so it raises nothing.
    """
    if not isinstance(target.client, Comparable):
        return None
    try:
        async with asyncio.timeout(target.limits.timeout_seconds):
            there = await target.client.at_target(outbound)
    except Exception:  # whatever the client does, the look-up's answer stands
        return None
    return None if there is None else beyond(outbound.body, there)


async def ask(target: TargetSpec, outbound: Outbound) -> Settled | None:
    """Ask a target by our reference; None: it is certainly not there.

    Raises:
        Rejected: ``cannot_ask``.
        HubError: no answer; the code says why.
    """
    if not target.capabilities.can_look_up:
        raise Rejected("cannot_ask", target.name, "the target cannot be asked")
    try:
        async with asyncio.timeout(target.limits.timeout_seconds):
            return await target.client.look_up(outbound)
    except HubError:
        raise
    except TimeoutError:
        raise Retryable("look_up_timeout", target.name, "it did not answer") from None
    except Exception as error:  # a client's bug must not end the plan of all other letters
        raise Retryable("look_up_failed", target.name, type(error).__name__) from error
