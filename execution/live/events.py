"""The one write of events: numbered per run without a gap, in the caller's transaction, with a NOTIFY behind it."""

from typing import Any

from django.db import connection

from execution.models import EventHead, HostRun, Run, RunEvent

CHANNEL = "guardia_events"


def append_event(run: Run, kind: str, host_run: HostRun | None = None, **data: Any) -> RunEvent:
    """Append an event and ring the bell of every web process; both happen at commit or not at all.

    The head's row stays locked until then, so numbers become visible in order: take it after all other rows.
    """
    head = EventHead.objects.select_for_update(no_key=True).get(run=run)
    head.number += 1
    head.save(update_fields=["number"])
    event = RunEvent.objects.create(run=run, number=head.number, kind=kind, host_run=host_run, data=data)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(run.pk)])
    return event


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
