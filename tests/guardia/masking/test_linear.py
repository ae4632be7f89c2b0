"""No text takes long to mask: the patterns can't go back far. Held by their form, not by a clock."""

import re
import re._constants as codes
import re._parser as parser
from collections.abc import Iterator
from typing import Any

import pytest

from guardia.common import masking
from guardia.common.masking import forms, named, people, private_keys, statements, tokens

_FARTHEST = 400  # characters that a pattern may go back over
_UNBOUNDED = codes.MAXREPEAT
_MODULES = (forms, named, people, private_keys, statements, tokens, masking)


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in _MODULES:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__}.{name}", value
    for form in (*masking._ALL.forms, *masking._IN_TABLES.forms):
        yield f"{form.kind}: {form.pattern.pattern[:40]}", form.pattern


def steps(sequence: Any, is_last: bool = True, around: int = 1) -> Iterator[str]:
    """What is wrong with the repeats of a parsed pattern. `around`: how often they are repeated from outside."""
    items = list(sequence)
    for at, (code, said) in enumerate(items):
        ends = is_last and at == len(items) - 1
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            _least, most, inner = said
            is_possessive = code == codes.POSSESSIVE_REPEAT
            if most == _UNBOUNDED and not (is_possessive and ends):
                yield "without a bound, before something that may fail"
            if not is_possessive and most != _UNBOUNDED and most * around > _FARTHEST:
                yield f"goes back over {most} × {around}"
            yield from steps(inner, ends, 1 if is_possessive else around * max(1, min(most, 10_000)))
        elif code == codes.SUBPATTERN:
            yield from steps(said[-1], ends, around)
        elif code == codes.ATOMIC_GROUP:
            yield from steps(said, ends, 1)
        elif code == codes.BRANCH:
            for branch in said[1]:
                yield from steps(branch, ends, around)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from steps(said[1], False, around)


#: Asked of one line of a block or a short piece, each begins where a run of its characters begins.
_GUARDED = ("private_keys._BODY", "private_keys._TAIL", "named._HARMLESS_TAIL", "named._NOTHING", "named._HANGUL_ONLY")


@pytest.mark.parametrize(("name", "pattern"), list(dict(patterns()).items()), ids=lambda value: str(value)[:60])
def test_no_pattern_goes_back_far(name: str, pattern: re.Pattern[str]) -> None:
    if name.endswith(_GUARDED):
        return
    assert list(steps(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))) == []


@pytest.mark.parametrize("bad", [r"(a+)+b", r"a*b", r"(?:a{1,30}){1,30}", r"[^x]*?y", r"(?:a|b)++c", r"a{0,4000}"])
def test_the_rule_finds_what_would_take_long(bad: str) -> None:
    assert list(steps(parser.parse(bad)))


@pytest.mark.parametrize("good", [r"a{1,40}b", r"a[^ ]++", r"(?:x|a[^ ]++)", r"(?:a{1,4}){1,30}b"])
def test_the_rule_lets_pass_what_does_not(good: str) -> None:
    assert not list(steps(parser.parse(good)))
