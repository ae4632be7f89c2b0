"""Hostile text becomes bounded, visible, comparable text.

Three views of one request are kept, because each rule needs another one: `text` (what verbatim parameters are cut
from), `lower` (same offsets as `text`) and `compact` (lower case without white space, so that "점 검" from a photo is
"점검"). `origin[i]` is the offset in `text` of `compact[i]`.
"""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from guardia.common.errors import InvalidInput

MAX_CHARACTERS = 10_000
_MAX_EXPANSION = 4  # NFKC turns one ligature into 18 characters; nobody writes those in a request
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # blank in every font, yet not white space
_VOWEL_TWINS = {5: 1, 7: 3, 11: 10, 15: 10}  # ㅔ→ㅐ, ㅖ→ㅒ, ㅚ→ㅙ, ㅞ→ㅙ: they sound alike and are mistyped
_HANGUL_FIRST, _HANGUL_LAST = 0xAC00, 0xD7A3
_VOWELS, _TAILS = 21, 28
_OCR_DIGITS = str.maketrans({"o": "0", "l": "1", "i": "1", "|": "1"})
_SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True, slots=True)
class Normalised:
    """One request in the three views of the module docstring; `folded` is `compact` with twin vowels unified."""

    text: str
    lower: str
    compact: str
    folded: str
    origin: tuple[int, ...]

    def gap_before(self, index: int) -> bool:
        """Whether white space or the start of the text precedes `compact[index]`."""
        return index == 0 or self.origin[index] - self.origin[index - 1] > 1


def normalise(text: str) -> Normalised:
    """Return the views of `text`; raises InvalidInput beyond MAX_CHARACTERS characters."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            format_lazy(_("The request is longer than {limit} characters."), limit=MAX_CHARACTERS),
            code="request_too_long",
        )
    clean = _clean(text)
    lower = "".join(low if len(low := char.lower()) == 1 else char for char in clean)
    origin = tuple(index for index, char in enumerate(lower) if not char.isspace())
    compact = "".join(lower[index] for index in origin)
    return Normalised(clean, lower, compact, fold_vowels(compact), origin)


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept: list[str] = []
    for char in text:
        for part in _compatible(char):
            category = unicodedata.category(part)
            if part in "\n\t":
                kept.append("\n" if part == "\n" else " ")
            elif category[0] == "C" or part in _FILLERS:
                continue  # control, bidi and zero-width characters only serve to hide something
            else:
                kept.append(" " if part.isspace() else part)
    return _SPACES.sub(" ", "".join(kept))


def _compatible(char: str) -> str:
    if "\u3131" <= char <= "\u318e":  # ㅋ and ㅠ stay letters; NFKC would turn them into combining jamo
        return char
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) <= _MAX_EXPANSION else char


def fold_vowels(text: str) -> str:
    """Unify vowels that sound alike ("홈텍스" is "홈택스"); the length stays."""
    return "".join(_fold_vowel(char) for char in text)


def _fold_vowel(char: str) -> str:
    code = ord(char)
    if not _HANGUL_FIRST <= code <= _HANGUL_LAST:
        return char
    head, rest = divmod(code - _HANGUL_FIRST, _VOWELS * _TAILS)
    vowel, tail = divmod(rest, _TAILS)
    return chr(_HANGUL_FIRST + (head * _VOWELS + _VOWEL_TWINS.get(vowel, vowel)) * _TAILS + tail)


def name_key(name: str) -> str:
    """The form in which names are compared: NFKC, lower case, no white space, twin vowels unified."""
    compact = "".join(unicodedata.normalize("NFKC", name).lower().split())
    return fold_vowels(compact)


def ocr_key(token: str) -> str:
    """The form in which hostnames and addresses are compared: letters that photos confuse with digits are digits."""
    return token.lower().translate(_OCR_DIGITS)


def is_hangul(char: str) -> bool:
    return _HANGUL_FIRST <= ord(char) <= _HANGUL_LAST
