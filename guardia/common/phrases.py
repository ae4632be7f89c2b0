"""Sentences that were stored in English, in the reader's language: known by their form, whatever was filled in."""

import re
from collections.abc import Sequence
from functools import lru_cache

from django.utils.translation import gettext

_VALUE = re.compile(r"%\\\((\w+)\\\)s")


class Phrases:
    """`templates` are msgids; `%(name)s` stands for anything but an end of the line."""

    def __init__(self, templates: Sequence[str]) -> None:
        self.templates = frozenset(templates)
        # Those that say more come first: “reads a secret: x” isn't “reads x”.
        self._patterns = sorted(
            ((one, re.compile(_VALUE.sub(r"(?P<\1>.*)", re.escape(one)))) for one in templates if "%(" in one),
            key=lambda pair: len(_VALUE.sub("", re.escape(pair[0]))),
            reverse=True,
        )
        self._parts = lru_cache(maxsize=1024)(self._taken_apart)

    def translated(self, sentence: str) -> str:
        """As a person reads it; one that isn't known stays as it is."""
        if sentence in self.templates:
            return gettext(sentence)
        template, values = self._parts(sentence)
        return gettext(template) % values if template else sentence

    def _taken_apart(self, sentence: str) -> tuple[str, dict[str, str]]:
        for template, pattern in self._patterns:
            if match := pattern.fullmatch(sentence):
                return template, match.groupdict()
        return "", {}
