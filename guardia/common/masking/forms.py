"""How what must be hidden is found: forms, each a pattern and a check, and what they cover in a text.

Linear by construction, which `tests/guardia/masking/test_linear.py` holds: a pattern repeats without a bound only
possessively and at its end, where nothing can fail any more, and every other repeat is short.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

MASK = "********"
Span = tuple[int, int]
#: What of a match is to be hidden; None: nothing, it only looked like it.
Check = Callable[[re.Match[str]], Span | None]

# Digits and letters as Korean keyboards also write them, one character for one.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2010: "-", 0x2011: "-", 0x2013: "-", 0x2212: "-"}


#: Digits enough for a telephone, however they are set.
_NUMBER = re.compile(r"(?:[0-9][-. ()~/]{0,3}+){9}")


@dataclass(frozen=True, slots=True)
class Form:
    """One thing to hide. It is looked for only where one of `needles` stands in the text in lower case; without any,
    where a long number stands."""

    kind: str
    pattern: re.Pattern[str]
    needles: tuple[str, ...] = ()
    check: Check | None = None

    def spans(self, text: str) -> Iterator[Span]:
        for match in self.pattern.finditer(text):
            span = self.check(match) if self.check is not None else _whole(match)
            if span is not None:
                yield span


class Net:
    """Several forms; what most texts don't hold costs them next to nothing."""

    def __init__(self, *forms: Form) -> None:
        self.forms = forms
        needles = dict.fromkeys(needle for form in forms for needle in form.needles)
        self._by_needle = [(needle, [form for form in forms if needle in form.needles]) for needle in needles]
        self._numbers = [form for form in forms if not form.needles]

    def found(self, text: str) -> list[tuple[Span, str]]:
        """What the forms cover in `text`, each with its kind."""
        plain = text if text.isascii() else text.translate(_WIDE)
        lower = plain.lower()
        asked = {id(form): form for needle, forms in self._by_needle if needle in lower for form in forms}
        if self._numbers and _NUMBER.search(plain):
            asked |= {id(form): form for form in self._numbers}
        return [(span, form.kind) for form in asked.values() for span in form.spans(plain)]


def covered(text: str, spans: Iterable[Span], mark: str) -> str:
    """`text` with each span, or run of spans that touch, replaced by `mark`."""
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], mark]
        end = max(end, stop)
    return "".join(parts) + text[end:]


def _whole(match: re.Match[str]) -> Span:
    return match.span("secret") if "secret" in match.re.groupindex else match.span()
