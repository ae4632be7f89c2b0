"""Every URL pattern that the project answers, as text."""

from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver


def all_patterns() -> set[str]:
    return set(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[Any], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern.url_patterns, text)
        else:
            yield text
