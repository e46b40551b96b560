"""File names that come from outside: which are read, and what a safe one looks like."""

from __future__ import annotations

import hashlib
import re

from canonical.errors import Rejected

LONGEST_SAFE = 120
"""Characters of a safe name; leaves room for a discriminator and ``.error.txt`` within 255."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNFINISHED = (".tmp", ".part", ".filepart")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,12}$", re.ASCII)
_LONGEST_STEM = LONGEST_SAFE - 26  # less the hash, its hyphen and the suffix


def safe_name(text: str) -> str:
    """A name that is safe in every folder, shell and log: ``[A-Za-z0-9._-]``, never hidden.

    A name that is safe already comes back unchanged; any other carries a hash of the original, so
    that two different names never become one.
    """
    kept = _UNSAFE.sub("_", text).lstrip(".-").rstrip(".")
    if kept and kept == text and len(text) <= LONGEST_SAFE:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    suffix = found[0] if (found := _SUFFIX.search(kept)) else ""
    stem = kept.removesuffix(suffix)[:_LONGEST_STEM] or "file"
    return f"{stem}-{digest}{suffix}"


def is_ignored(name: str) -> bool:
    """Hidden names and those that senders give to files they are still writing."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def is_printable(name: str) -> bool:
    """No control character, and bytes that are UTF-8 (others arrive as lone surrogates)."""
    return not _UNPRINTABLE.search(name)


def require_entry(name: str) -> str:
    """Let a name pass that is one entry of a folder and no path.

    Raises:
        Rejected: ``name_unsafe``.

    """
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise Rejected("name_unsafe", safe_name(name), "expected the name of one file, no path")
    return name
