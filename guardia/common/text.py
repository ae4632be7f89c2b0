"""Text that came from outside, made fit to be stored and shown: what it seems to say is what it says."""

import unicodedata

_KEPT = "\n\t"
#: Direction overrides and isolates can make a line read as another; zero-width marks hide in names.
_DECEIVING = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def printable(text: str) -> str:
    """`text` with control characters (terminal escapes, NUL) and direction marks replaced by U+FFFD."""
    if text.isprintable():  # nearly all of it: neither controls nor format characters
        return text
    return "".join(char if char in _KEPT or not _is_deceiving(char) else "\ufffd" for char in text)


def _is_deceiving(char: str) -> bool:
    return char in _DECEIVING or unicodedata.category(char) in ("Cc", "Cs")
