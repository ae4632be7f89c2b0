"""The one write of events: numbered per run without a gap, in the caller's transaction, with a NOTIFY behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from execution.models import HostRun, Run, RunEvent
from guardia.common.bulk import copy_rows
from guardia.common.masking import mask_all

CHANNEL = "guardia_events"
#: What of an event is not in our own words.
_SAID = ("output", "error", "reason", "text")
#: One round trip: this is the busiest row of a run.
_NEXT_NUMBER = """
    WITH head AS (UPDATE execution_eventhead SET number = number + %s WHERE run_id = %s RETURNING number)
    SELECT number, pg_notify(%s, %s) FROM head
"""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event that has no number yet."""

    kind: str
    host_run: HostRun | None
    data: dict[str, Any]


def append_event(run: Run, kind: str, host_run: HostRun | None = None, **data: Any) -> None:
    """Append an event and ring the bell of every web process; both happen at commit or not at all.

    The head's row stays locked until then, so numbers become visible in order: take it after all other rows.
    """
    append_events(run, [Happening(kind, host_run, data)])


def append_events(run: Run, happenings: Sequence[Happening]) -> None:
    """The same for many that happened at once, in this order and in as many round trips as for one."""
    if not happenings:
        return
    first = _take_numbers(run, len(happenings)) - len(happenings) + 1
    copy_rows(
        [
            RunEvent(run=run, number=number, kind=each.kind, host_run=each.host_run, data=_masked(each.data))
            for number, each in enumerate(happenings, start=first)
        ]
    )


def _masked(data: dict[str, Any]) -> dict[str, Any]:
    """What servers and people said without secrets and contacts: whoever sees the run reads it."""
    said = {name: mask_all(data[name]) for name in _SAID if isinstance(data.get(name), str)}
    return {**data, **said} if said else data


def hosts_settled(run: Run, host_runs: Sequence[HostRun]) -> None:
    """The event of many hosts that were settled in one go."""
    append_events(
        run,
        [
            Happening("host_settled", host, {"host": host.server.hostname, "status": host.status, "error": host.error})
            for host in host_runs
        ],
    )


def _take_numbers(run: Run, count: int) -> int:
    """The last of `count` numbers that are the caller's."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [count, run.pk, CHANNEL, str(run.pk)])
        (number, _rung) = cursor.fetchone()
    return int(number)


def event_to_dict(event: RunEvent) -> dict[str, Any]:
    """What a page gets: plain text only, escaped where it is shown."""
    return {
        "number": event.number,
        "kind": event.kind,
        "at": event.created_at.isoformat(),
        "host_run": event.host_run_id,
        "host": event.data.get("host", ""),
        "data": event.data,
    }
