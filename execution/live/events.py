"""The one write of events: numbered per run without a gap, in the caller's transaction, with a NOTIFY behind it."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from execution.models import HostRun, Run, RunEvent

CHANNEL = "guardia_events"
#: One round trip: this is the busiest row of a run.
_NEXT_NUMBER = """
    WITH head AS (UPDATE execution_eventhead SET number = number + %s WHERE run_id = %s RETURNING number)
    SELECT number, pg_notify(%s, %s) FROM head
"""


def append_event(run: Run, kind: str, host_run: HostRun | None = None, **data: Any) -> RunEvent:
    """Append an event and ring the bell of every web process; both happen at commit or not at all.

    The head's row stays locked until then, so numbers become visible in order: take it after all other rows.
    """
    number = _take_numbers(run, 1)
    return RunEvent.objects.create(run=run, number=number, kind=kind, host_run=host_run, data=data)


def hosts_settled(run: Run, host_runs: Sequence[HostRun]) -> None:
    """The event of many hosts that were settled in one go, in as many round trips as for one."""
    if not host_runs:
        return
    first = _take_numbers(run, len(host_runs)) - len(host_runs) + 1
    RunEvent.objects.bulk_create(
        RunEvent(
            run=run,
            number=number,
            kind="host_settled",
            host_run=host,
            data={"host": host.server.hostname, "status": host.status, "error": host.error},
        )
        for number, host in enumerate(host_runs, start=first)
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
