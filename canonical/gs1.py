"""GS1 keys and their check digits (GS1 General Specifications, section 7.9.1).

Documents arrive with wrong check digits and must still be kept and shown, so the canonical models
take these codes as sent; whoever needs a true key asks here.
"""

from __future__ import annotations

GTIN_LENGTHS = frozenset({8, 12, 13, 14})
"""GTIN-8, GTIN-12 (UPC-A), GTIN-13 (EAN-13) and GTIN-14."""

GLN_LENGTH = 13
SSCC_LENGTH = 18


def check_digit(digits: str) -> str:
    """Compute the modulo 10 check digit that follows `digits`.

    Weights alternate 3, 1, 3 ... from the right, so that one rule serves every length.

    Args:
        digits: ASCII digits, without the check digit.

    Raises:
        ValueError: `digits` is empty or holds anything else.

    """
    if not _is_digits(digits):
        raise ValueError("expected ASCII digits")
    odd, even = digits[::-2], digits[-2::-2]
    total = 3 * sum(map(int, odd)) + sum(map(int, even))
    return str(-total % 10)


def has_check_digit(key: str) -> bool:
    """Whether the last digit of `key` is the check digit of those before it."""
    return len(key) > 1 and _is_digits(key) and check_digit(key[:-1]) == key[-1]


def with_check_digit(key: str, length: int) -> str:
    """Return what `key` would be with its right check digit; what cannot be said is how long it is.

    Args:
        key: as it came.
        length: of such a key, with its check digit.

    """
    if len(key) != length or not _is_digits(key):
        return f"{length} digits"
    return key[:-1] + check_digit(key[:-1])


def is_gtin(code: str) -> bool:
    """Whether `code` is a GTIN-8, -12, -13 or -14 with its right check digit.

    A number of the right length and digits is taken for what it says it is: no prefix is looked up.
    """
    return len(code) in GTIN_LENGTHS and has_check_digit(code)


def is_gln(code: str) -> bool:
    """Whether `code` is a Global Location Number with its right check digit."""
    return len(code) == GLN_LENGTH and has_check_digit(code)


def is_sscc(code: str) -> bool:
    """Whether `code` is a Serial Shipping Container Code with its right check digit.

    The application identifier ``(00)``, which labels and some X12 MAN segments carry in front, is
    not part of the key.
    """
    return len(code) == SSCC_LENGTH and has_check_digit(code)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
