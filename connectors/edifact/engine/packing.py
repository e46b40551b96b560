"""Trees of packages and of lines: what a DESADV writes one after the other, nested.

A CPS names its own level and the level that it is in (7164, 7166); a LIN that is a sub-line names
its line (C829 with 5495 = 1). Such groups become part of the one that they name. Writing them
depth first gives the message back, where it was in that order.
"""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]

MAX_DEPTH = 24
"""Nothing is packed deeper; what claims to be stays beside its parent, so that documents stay
shallow enough for every reader of JSON."""

_PACKAGES = "CPS_group"
_LINES = "LIN_group"


def nest(areas: dict[str, Node]) -> None:
    """Nest packages and sub-lines, in place."""
    detail = areas.get("detail")
    if detail is None:
        return
    packages = detail.get(_PACKAGES)
    if packages:
        for package in packages:
            if _LINES in package:
                package[_LINES] = _nested(package[_LINES], _LINES, _line)
        detail[_PACKAGES] = _nested(packages, _PACKAGES, _package)
    if _LINES in detail:
        detail[_LINES] = _nested(detail[_LINES], _LINES, _line)


def flat(area: Node) -> Node:
    """A section with its packages and lines one after the other, as they are written."""
    found = dict(area)
    if _LINES in found:
        found[_LINES] = _unnested(found[_LINES], _LINES)
    if _PACKAGES in found:
        packages = _unnested(found[_PACKAGES], _PACKAGES)
        found[_PACKAGES] = [
            {**package, _LINES: _unnested(package[_LINES], _LINES)}
            if isinstance(package, dict) and _LINES in package
            else package
            for package in packages
        ]
    return found


def _package(group: Node) -> tuple[str | None, str | None]:
    cps = group["CPS"]
    return cps.get("CPS0101"), cps.get("CPS0201")


def _line(group: Node) -> tuple[str | None, str | None]:
    lin = group["LIN"]
    parent = lin.get("LIN0402") if lin.get("LIN0401") == "1" else None
    return lin.get("LIN0101"), parent


def _nested(groups: list[Node], key: str, ids: Any) -> list[Node]:
    """Groups in those that they name; only groups that came before count as parents."""
    if not any(ids(group)[1] for group in groups):
        return groups
    known: dict[str, tuple[Node, int]] = {}
    top: list[Node] = []
    for group in groups:
        own, parent = ids(group)
        outer, depth = known.get(parent, (None, 0)) if parent and parent != own else (None, 0)
        if outer is None or depth >= MAX_DEPTH:
            top.append(group)
            depth = 0
        else:
            outer.setdefault(key, []).append(group)
        if own:
            known.setdefault(own, (group, depth + 1))
    return top


def _unnested(groups: object, key: str) -> list[Any]:
    """All groups, each before those in it, without recursion: depth comes from outside."""
    stack: list[Any] = list(reversed(groups)) if isinstance(groups, list) else [groups]
    found: list[Any] = []
    while stack:
        group = stack.pop()
        inner = group.get(key) if isinstance(group, dict) else None
        if inner is None:
            found.append(group)
            continue
        found.append({name: value for name, value in group.items() if name != key})
        stack += reversed(inner) if isinstance(inner, list) else [inner]
    return found
