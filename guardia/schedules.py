"""Everything that happens by the clock, in code: the table is made equal to it whenever a worker starts."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import get_default_timezone, localtime

from guardia.common.clock import now

MONTHLY = 0
_DAY = 24 * 60
#: name → (task, minutes; MONTHLY: once a month)
SCHEDULES = {
    "sweep of plans and runs": ("execution.tasks.sweep", 1),
    "escalation of approvals": ("governance.tasks.escalate_due_steps", 1),
    "checkpoints and their stores": ("audit.tasks.checkpoint", 1),
    "reports that wait, died or are over": ("audit.tasks.sweep_reports", 1),
    "stored files that nothing names": ("execution.tasks.remove_orphans", _DAY),
    "rates that nobody uses": ("accounts.tasks.forget_empty_buckets", 60),
    "verification of what is new": ("audit.tasks.verify_new", 60),
    "check of who answers for what": ("governance.tasks.check_authority", MONTHLY),
    "verification of everything": ("audit.tasks.verify_everything", _DAY),
}
_LOCK = 0x67756172  # one advisory lock: workers that start at once must not each add a row


def _night() -> datetime:
    """The next 03:00 where the users are."""
    moment = localtime(now(), get_default_timezone())
    night = moment.replace(hour=3, minute=0, second=0, microsecond=0)
    return night if night > moment else night + timedelta(days=1)


@transaction.atomic
def reconcile() -> None:
    """Make django-q2's schedule table say exactly what this file says: rows it doesn't know, doubles and columns that
    somebody wrote into (arguments, hooks, another queue, a far moment) are gone after it."""
    from django_q.models import Schedule

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    Schedule.objects.exclude(name__in=SCHEDULES).delete()
    for name, (function, minutes) in SCHEDULES.items():
        wanted: dict[str, Any] = {
            **dict.fromkeys(("args", "kwargs", "hook", "cluster", "cron", "intended_date_kwarg")),
            "func": function,
            "schedule_type": Schedule.MONTHLY if minutes == MONTHLY else Schedule.MINUTES,
            "minutes": minutes or None,
            "repeats": -1,
            "next_run": _night() if minutes == _DAY else now(),
        }
        rows = Schedule.objects.filter(name=name).order_by("pk")
        kept = rows.first()
        if kept is None:
            Schedule.objects.create(name=name, **wanted)
        else:
            rows.exclude(pk=kept.pk).delete()
            Schedule.objects.filter(pk=kept.pk).update(**wanted)
