"""The one write of events: numbered per run without a gap, in the caller's transaction, with a NOTIFY behind it."""

from typing import Any

from django.db import connection

from execution.models import HostRun, Run, RunEvent

CHANNEL = "guardia_events"
#: One round trip: this is the busiest row of a run.
_NEXT_NUMBER = """
    WITH head AS (UPDATE execution_eventhead SET number = number + 1 WHERE run_id = %s RETURNING number)
    SELECT number, pg_notify(%s, %s) FROM head
"""


def append_event(run: Run, kind: str, host_run: HostRun | None = None, **data: Any) -> RunEvent:
    """Append an event and ring the bell of every web process; both happen at commit or not at all.

    The head's row stays locked until then, so numbers become visible in order: take it after all other rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [run.pk, CHANNEL, str(run.pk)])
        (number, _rung) = cursor.fetchone()
    return RunEvent.objects.create(run=run, number=number, kind=kind, host_run=host_run, data=data)


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
