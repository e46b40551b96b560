"""Code extension (ISO 2022), which UNOX names: other character sets between escape sequences.

ISO 9735 lets every character set be called in, and wants delimiters as ASCII has them. So bytes are
told apart before delimiters are looked for: half of a Japanese character may look like one. What is
read keeps its places: a character stands where its first byte stood, and `FILL` on the others.

Sets: ASCII and its British, German and Japanese forms, half-width katakana, ISO 8859, JIS X 0208 and
0212, GB 2312, KS X 1001, and UTF-8 where it is switched to. Any other set gives `UNREAD`, which
no value may hold. Bytes beyond ASCII in no set at all are kept (`unmarked` reads them).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FILL = "\ufdd5"
"""Stands where bytes are that make no character of their own."""
UNREAD = "\ufdd6"
"""Stands for a character of a set that is not read."""
_WRONG = "\ufffd"
_RAW = 0xF700
"""A byte in no set, as a character: the byte counts from here."""

_PIECES = (
    r"(?P<escape>\x1b[ -/]{0,4}[0-~])|(?P<lock>[\x0e\x0f])|(?P<left>[!-~]+)"
    r"|(?P<plain>[\x00-\x0d\x10-\x1a\x1c-\x20\x7f]+)"
)
_IN_SETS = re.compile(
    _PIECES + r"|(?P<single>[\x8e\x8f])|(?P<right>[\xa0-\xff]+)|(?P<wrong>.)", re.DOTALL
)
_NO_RIGHT = re.compile(_PIECES + r"|(?P<raw>[\x80-\xff]+)|(?P<wrong>.)", re.DOTALL)
_CUT_ESCAPE = re.compile(r"\x1b[ -/]{0,4}")
_RAW_RUN = re.compile("[\uf700-\uf7ff]+")


@dataclass(frozen=True, slots=True)
class Charset:
    """A set that can be called in."""

    codec: str
    """Of Python; "" where it is not read."""
    width: int = 1
    """How many bytes a character has."""
    prefix: bytes = b""
    """What the codec wants before a character."""
    changed: dict[int, str] = field(default_factory=dict, compare=False)
    """Where a national form of ASCII differs."""

    def text(self, raw: bytes) -> str:
        """Read whole characters, each byte with its high bit off; as long as the bytes."""
        if not self.codec:
            return UNREAD * len(raw)
        if self.codec == "ascii":
            return raw.decode("ascii").translate(self.changed)
        high = bytes(each | 0x80 for each in raw)
        if self.width == 1:
            return high.decode(self.codec, "replace")
        pairs = (high[at : at + self.width] for at in range(0, len(high), self.width))
        return "".join(self._one(pair) + FILL * (self.width - 1) for pair in pairs)

    def _one(self, high: bytes) -> str:
        found = (self.prefix + high).decode(self.codec, "replace")
        return found if len(found) == 1 else _WRONG


_ASCII = Charset("ascii")
_KATAKANA = {
    at: chr(0xFF61 + at - 0x21) if at <= 0x5F else _WRONG  # noqa: PLR2004  # the last one
    for at in range(0x21, 0x7F)
}
_NATIONAL = {
    "B": _ASCII,
    "@": _ASCII,
    "A": Charset("ascii", changed={0x23: "£"}),
    "K": Charset("ascii", changed=dict(zip(map(ord, "@[\\]{|}~"), "§ÄÖÜäöüß", strict=True))),
    "J": Charset("ascii", changed={0x5C: "¥", 0x7E: "\u203e"}),
    "I": Charset("ascii", changed=_KATAKANA),
}
"""Sets of 94 characters by their final byte (ISO-IR 6, 2, 4, 21, 14, 13)."""
_RIGHT_HALVES = {
    "A": "iso8859-1", "B": "iso8859-2", "C": "iso8859-3", "D": "iso8859-4", "L": "iso8859-5",
    "G": "iso8859-6", "F": "iso8859-7", "H": "iso8859-8", "M": "iso8859-9", "V": "iso8859-10",
    "T": "iso8859-11", "Y": "iso8859-13", "_": "iso8859-14", "b": "iso8859-15", "f": "iso8859-16",
}  # fmt: skip
"""Sets of 96 characters: the right halves of ISO 8859."""
_IDEOGRAPHIC = {
    "@": Charset("euc_jp", 2), "A": Charset("gb2312", 2), "B": Charset("euc_jp", 2),
    "C": Charset("euc_kr", 2), "D": Charset("euc_jp", 2, b"\x8f"),
}  # fmt: skip
"""Sets of 94 by 94: JIS C 6226, GB 2312, JIS X 0208, KS X 1001, JIS X 0212."""
_UNKNOWN, _UNKNOWN_WIDE = Charset(""), Charset("", 2)

_SMALL, _LARGE, _WIDE = "()*+", "-./", "$"
"""What an escape sequence begins with that puts a set of 94, 96 or many into G0 to G3."""
_LOCKS = {"n": 2, "o": 3}
"""LS2, LS3."""
_LOCKS_RIGHT = {"~": 1, "}": 2, "|": 3}
"""LS1R, LS2R, LS3R."""
_SINGLES = {"N": 2, "O": 3, "\x8e": 2, "\x8f": 3}
"""SS2, SS3: of one character only."""
_MEANS_NOTHING = ("%G", "%@", "&@")
"""To UTF-8 and back, which bytes in no set are read as anyway; a revised registration follows."""
_ANNOUNCES = " "


class Decoder:
    """Reads one interchange; knows which sets are called in."""

    def __init__(self) -> None:
        self._sets: list[Charset | None] = [_ASCII, None, None, None]
        self._left = 0
        self._right = 1

    def decode(self, text: str, *, final: bool) -> str:
        """Read on.

        Args:
            text: bytes as latin-1 characters, from where the last text that was returned ended.
            final: no more will come.

        Returns:
            As many characters, but for an end that is not whole yet.
        """
        found: list[str] = []
        at = 0
        while at < len(text):
            right = self._sets[self._right]
            piece = (_IN_SETS if right else _NO_RIGHT).match(text, at)
            if piece is None:  # each alternative of them together is every character
                raise AssertionError(at)
            read = self._piece(piece, text, final=final)
            if not read:
                break
            found.append(read)
            at += len(read)
        return "".join(found)

    def _piece(self, piece: re.Match[str], text: str, *, final: bool) -> str:
        """What stands for one piece of the text, or its beginning; "": more is needed."""
        found, end, kind = piece[0], piece.end(), piece.lastgroup
        if kind in ("left", "right"):
            charset = self._sets[self._left if kind == "left" else self._right]
            return self._run(charset, found, is_end=end == len(text) and not final)
        if kind == "single" or found[1:] in _SINGLES:
            return self._single(found, text[end : end + 2], final=final)
        if kind == "escape":
            return self._escape(found[1:])
        if kind == "lock":
            self._left = 1 if found == "\x0e" else 0
            return FILL
        return self._unchanged(piece, text, final=final)

    def _unchanged(self, piece: re.Match[str], text: str, *, final: bool) -> str:
        """What no set has a part in: controls and blanks, bytes in no set, and what is nothing."""
        if piece.lastgroup == "plain":
            return piece[0]
        if piece.lastgroup == "raw":
            return "".join(chr(_RAW + ord(each)) for each in piece[0])
        is_cut = _CUT_ESCAPE.fullmatch(text, piece.start()) and not final
        return "" if is_cut else _WRONG

    def _run(self, charset: Charset | None, found: str, *, is_end: bool) -> str:
        """Bytes of one set; half a character at their end waits for more, or is none."""
        if charset is None:
            return UNREAD * len(found)
        rest = len(found) % charset.width
        raw = bytes(ord(each) & 0x7F for each in found[: len(found) - rest])
        return charset.text(raw) + ("" if is_end else _WRONG * rest)

    def _single(self, shift: str, following: str, *, final: bool) -> str:
        """A shift for one character, and that character."""
        charset = self._sets[_SINGLES[shift[-1]]]
        width = charset.width if charset else 1
        if len(following) < width and not final:
            return ""
        raw = bytes(ord(each) & 0x7F for each in following[:width])
        if charset is None or len(raw) < width or min(raw) < 0x20:  # noqa: PLR2004  # no control
            return UNREAD + FILL * (len(shift) - 1)
        return FILL * len(shift) + charset.text(raw)

    def _escape(self, sequence: str) -> str:
        """Call a set in, or shift to it."""
        nothing = FILL * (len(sequence) + 1)
        first, last = sequence[0], sequence[-1]
        if sequence in _LOCKS:
            self._left = _LOCKS[sequence]
        elif sequence in _LOCKS_RIGHT:
            self._right = _LOCKS_RIGHT[sequence]
        elif len(sequence) > 1 and first in _SMALL:
            known = _NATIONAL.get(last) if len(sequence) == 2 else None  # noqa: PLR2004  # as all of these
            self._sets[_SMALL.index(first)] = known or _UNKNOWN
        elif len(sequence) > 1 and first in _LARGE:
            codec = _RIGHT_HALVES.get(last, "") if len(sequence) == 2 else ""  # noqa: PLR2004  # as above
            self._sets[_LARGE.index(first) + 1] = Charset(codec)
        elif len(sequence) > 1 and first == _WIDE:
            self._wide(sequence[1:])
        elif sequence not in _MEANS_NOTHING and first != _ANNOUNCES:
            return UNREAD + nothing[1:]
        return nothing

    def _wide(self, sequence: str) -> None:
        """Call in a set of more than one byte: ``B`` and ``(B`` alike mean G0."""
        place = 0 if len(sequence) == 1 else _SMALL.find(sequence[0])
        known = _IDEOGRAPHIC.get(sequence[-1]) if len(sequence) <= 2 else None  # noqa: PLR2004  # with its place
        at = place if place >= 0 else _LARGE.find(sequence[0]) + 1
        self._sets[at] = (known if place >= 0 else None) or _UNKNOWN_WIDE


def unmarked(text: str) -> str:
    """What `Decoder.decode` gave, without what only kept places; other bytes as UTF-8 or ISO 8859-1."""
    return _RAW_RUN.sub(_read_raw, text.replace(FILL, ""))


def _read_raw(run: re.Match[str]) -> str:
    raw = bytes(ord(each) - _RAW for each in run[0])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
