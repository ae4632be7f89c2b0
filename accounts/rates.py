"""Rates: how often one caller may ask, the same for pages, forms and the API (settings: GUARDIA_RATE_*; ADR 0031).

A rate is a leaky bucket per caller: it takes a burst of its whole count, and empties steadily. The buckets are rows, so
that all web processes count together; one statement asks and counts. A burst that is refused leaves one entry in the
chain per caller and hour, and no more than `_TOLD` in an hour altogether: the flood doesn't flood the chain.
"""

import logging
import math
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from accounts.exceptions import RateExceeded
from accounts.models import RateBucket, User
from accounts.signals import rate_exceeded

logger = logging.getLogger(__name__)
_SECONDS = {"s": 1, "min": 60, "h": 3600}
#: What switches a rate off.
OFF = "off"
#: What the name of a caller begins with who is nobody.
STRANGER = "address:"
_KEY_LENGTH = 150


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    count: int
    seconds: int


_ONCE, _TOLD = Rate(1, 3600), Rate(60, 3600)
#: A bucket that is more than full (by a second, for rounding) was filled under a former setting: it counts as empty.
_COUNT = """
    INSERT INTO accounts_ratebucket AS bucket (key, empty_at)
    VALUES (%(key)s, clock_timestamp() + %(step)s * interval '1 second')
    ON CONFLICT (key) DO UPDATE
    SET empty_at = CASE WHEN bucket.empty_at > clock_timestamp() + (%(window)s + 1) * interval '1 second'
        THEN clock_timestamp() ELSE greatest(bucket.empty_at, clock_timestamp()) END + %(step)s * interval '1 second'
    WHERE bucket.empty_at <= clock_timestamp() + (%(window)s - %(step)s) * interval '1 second'
    OR bucket.empty_at > clock_timestamp() + (%(window)s + 1) * interval '1 second'
    RETURNING 1
"""
_WAIT = "SELECT extract(epoch FROM empty_at - clock_timestamp()) FROM accounts_ratebucket WHERE key = %s"


@lru_cache(maxsize=64)
def rate_of(text: str) -> Rate | None:
    """`600/min` (or `/s`, `/h`) as a Rate, `off` as None. Raises ValueError for anything else."""
    if text == OFF:
        return None
    count, _slash, unit = text.partition("/")
    if unit not in _SECONDS or not (count.isascii() and count.isdigit()) or not int(count):
        raise ValueError(f"“{text}” is no rate like 600/min")
    return Rate(int(count), _SECONDS[unit])


def stranger(source_ip: str) -> str:
    """A caller of whom the address alone is known; in IPv6 its network, because anybody has 2⁶⁴ addresses of it."""
    try:
        address = ip_address(source_ip)
    except ValueError:
        return f"{STRANGER}?"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return f"{STRANGER}{ip_network((int(address) >> 64 << 64, 64))}"
        address = address.ipv4_mapped
    return f"{STRANGER}{address}"


def take(name: str, caller: User | str, *, key: str = "") -> None:
    """Count one request of this caller (a user, or text: `stranger`) under the setting GUARDIA_RATE_`name`.

    `key` counts something else than the caller itself (a token). Raises RateExceeded (429) with the seconds to wait;
    what was refused isn't counted. A database that is away refuses nobody here.
    """
    rate = rate_of(getattr(settings, f"GUARDIA_RATE_{name}"))
    if rate is None:
        return
    key = f"{name}:{key or (f'user:{caller.pk}' if isinstance(caller, User) else caller)}"[:_KEY_LENGTH]
    try:
        if _is_taken(key, rate):
            return
        seconds = _seconds_to_wait(key, rate)
        if _is_taken(f"told:{key}", _ONCE):
            logger.warning("rate %s exceeded by %s", name, key)
            if _is_taken("told", _TOLD):
                rate_exceeded.send(User, actor=caller, rate=name, limit=f"{rate.count}/{rate.seconds}s")
    except (OperationalError, InterfaceError) as error:
        logger.warning("rates: the database is away (%s)", type(error).__name__)
        return
    raise RateExceeded(str(RateExceeded.default_message) % {"seconds": seconds}, seconds=seconds)


def forget_empty_buckets() -> int:
    """Remove the rows that say nothing any more; returns how many."""
    return RateBucket.objects.filter(empty_at__lt=Now()).delete()[0]


def _is_taken(key: str, rate: Rate) -> bool:
    """Whether there was room for one more, which is counted then."""
    step = rate.seconds / rate.count
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "step": step, "window": rate.seconds})
        return cursor.fetchone() is not None


def _seconds_to_wait(key: str, rate: Rate) -> int:
    """Until there is room for one."""
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, [key])
        row = cursor.fetchone()
    full = float(row[0]) if row is not None else 0.0
    return max(1, math.ceil(full + rate.seconds / rate.count - rate.seconds))
