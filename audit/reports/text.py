"""Text on its way into a file that people open: whatever somebody wrote into an entry, it stays text."""

from guardia.common.text import printable

#: What a spreadsheet would compute; the full-width ones too, which Excel takes for the same.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_CELL = 32_000
_NO_XML = str.maketrans(dict.fromkeys("\ufffe\uffff", "\ufffd"))


def shown(text: str) -> str:
    """`text` without what would deceive the eye or break a writer."""
    return printable(text).translate(_NO_XML)


def cell_text(text: str) -> str:
    """The same for a cell of a spreadsheet: never a formula, never longer than a cell may be."""
    plain = shown(text)
    plain = f"'{plain}" if plain.lstrip().startswith(_FORMULA) or plain.startswith(_FORMULA) else plain
    return plain if len(plain) <= _CELL else f"{plain[:_CELL]}…"
