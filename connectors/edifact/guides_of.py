"""The guides of one connection: the shipped ones, or narrower ones where its options say so."""

from __future__ import annotations

from connectors.edifact.config import EdifactConfig
from connectors.edifact.engine.directory import Reading, load_guide, reading
from connectors.edifact.engine.envelope import Message, part
from connectors.edifact.engine.faults import EnvelopeFault
from connectors.edifact.engine.guide import Guide
from connectors.edifact.engine.overlay import narrowed


class Guides:
    """Gives the guide for a message; narrower ones are compiled when first needed."""

    def __init__(self, config: EdifactConfig) -> None:
        self._overlays = {
            message: tuple(place.narrower() for place in places)
            for message, places in config.guide.items()
        }
        self._compiled: dict[tuple[str, str], Guide] = {}

    def guide(self, message: str, release: str) -> Guide:
        """The guide of a message that guides exist for.

        Raises:
            ConfigError: ``guide_invalid``, ``overlay_invalid``.

        """
        overlay = self._overlays.get(message)
        if overlay is None:
            return load_guide(message, release)
        found = self._compiled.get((message, release))
        if found is None:
            found = self._compiled[message, release] = narrowed(message, release, overlay)
        return found


def reading_of(message: Message) -> Reading | None:
    """The directory that a message is read by; None: there is no guide for it."""
    return reading(message.type, part(message.unh, 2, 2), part(message.unh, 2, 3))


def other_directory(found: Reading | None) -> list[EnvelopeFault]:
    """What is to be said where a message is not read by the directory that it names."""
    if found is None or not found.named:
        return []
    known = ", ".join(found.known)
    there = f"{found.named}; there are {known}"
    more = f" ({there}): a tolerant connection reads it by {found.release}"
    return [EnvelopeFault("directory_unknown", "UNH0203", more=more)]
