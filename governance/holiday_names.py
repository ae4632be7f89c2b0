"""Korea's public holidays, substitute holidays included, from the `holidays` package: nothing is asked of a network."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays

_LANGUAGES = {"ko": "ko", "en": "en_US"}


@lru_cache(maxsize=64)
def public_holidays(year: int, language: str = "ko") -> Mapping[date, str]:
    """Day → name of every public holiday of `year`; names are Korean unless English is asked for."""
    return dict(holidays.country_holidays("KR", years=year, language=_LANGUAGES.get(language, "ko")))


def holiday_name(day: date, extra: Mapping[date, str] | None = None, language: str = "ko") -> str:
    """Why this day is a holiday (an institution's own days win); empty where it isn't one."""
    return (extra or {}).get(day) or public_holidays(day.year, language).get(day, "")
