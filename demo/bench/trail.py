"""What one user did, out of a chain table of millions: the pages that somebody waits for."""

import time
from collections.abc import Iterator
from random import Random
from statistics import quantiles

from django.db import connection
from django.test import Client

from accounts.choices import Role
from accounts.models import Institution, User
from audit.chain import genesis
from audit.models import Chain

_LIST = "/admin/audit/entry/"
_INSTITUTIONS, _PEOPLE, _LOOKS, _BATCH = 100, 2_000, 40, 1_000_000
#: Rows as long as real ones, not chained: these pages don't verify. Half of them are one institution's, and every third
#: is the worker's.
_FILL = """
INSERT INTO audit_entry
    (chain_id, number, recorded_at, action, actor, task_id, object_type, object_id, body, prev_hash, hash)
SELECT (%s::bigint[])[1 + CASE WHEN g %% 2 = 0 THEN 0 ELSE 1 + (g / 10) %% 99 END], g,
    timestamptz '2025-01-01' + g * interval '3 seconds',
    (array['step.ok','step.started','host.done','approval.approved'])[1 + g %% 4],
    CASE WHEN g %% 3 = 0 THEN 'guardia-worker' ELSE 'user:' || p || ':trail.person' || p END,
    'OPS-20261121-' || (g / 30), 'stepresult', g::text, repeat(md5(g::text), 20),
    md5(g::text) || md5((g - 1)::text), md5((g + 1)::text) || md5(g::text)
FROM (SELECT g, g * 7919 %% %s AS p FROM generate_series(%s::bigint, %s::bigint) g) rows
"""


def measure_trail(entries: int) -> Iterator[tuple[str, str, str]]:
    """(figure, asked for, measured), as they come."""
    chains = [_chain(number) for number in range(_INSTITUTIONS)]
    started = time.monotonic()
    with connection.cursor() as cursor:
        for first in range(1, entries + 1, _BATCH):
            last = min(first + _BATCH - 1, entries)
            cursor.execute(_FILL, [[chain.pk for chain in chains], _PEOPLE, first, last])
        cursor.execute("VACUUM ANALYZE audit_entry")
    yield f"{entries:,} entries filled in", "", f"{time.monotonic() - started:.0f} s"
    readers = {"all institutions": None, "the largest institution": "TRAIL0", "a small one": "TRAIL50"}
    for name, code in readers.items():
        yield (
            f"a user's trail, read for {name}: median / p95",
            "p95 ≤ 300 ms",
            _looks(_auditor(code), "user:{0}:trail.person{0}"),
        )
        yield f"a task's trail, read for {name}: median / p95", "", _looks(_auditor(code), "OPS-20261121-{0}")


def _chain(number: int) -> Chain:
    code = f"TRAIL{number}"
    Institution.objects.get_or_create(code=code, defaults={"name": f"기록시험기관 {number}"})
    key = f"institution:{code}"
    return Chain.objects.get_or_create(key=key, defaults={"head_hash": genesis(key)})[0]


def _auditor(code: str | None) -> User:
    user, is_new = User.objects.get_or_create(username=f"trail.{code or 'all'}".lower(), defaults={"is_staff": True})
    if is_new:
        institution = None if code is None else Institution.objects.get(code=code)
        user.memberships.create(role=Role.AUDITOR, institution=institution)
    return user


def _looks(user: User, term: str) -> str:
    client, times = Client(HTTP_HOST="127.0.0.1"), []
    dice = Random(1)  # noqa: S311 - the same looks each time
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for _ in range(_LOOKS):
        started = time.perf_counter()
        response = client.get(_LIST, {"q": term.format(dice.randrange(_PEOPLE))})
        times.append((time.perf_counter() - started) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"the list answered {response.status_code}")
    return f"{quantiles(times, n=2)[0]:.0f} / {quantiles(times, n=20)[-1]:.0f} ms"
