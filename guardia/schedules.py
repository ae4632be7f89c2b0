"""Everything that happens by the clock, in code: the table is made equal to it whenever a worker starts."""

from django.db import transaction

MONTHLY = 0
#: name → (task, minutes; MONTHLY: once a month)
SCHEDULES = {
    "sweep of plans and runs": ("execution.tasks.sweep", 1),
    "escalation of approvals": ("governance.tasks.escalate_due_steps", 1),
    "check of who answers for what": ("governance.tasks.check_authority", MONTHLY),
}


@transaction.atomic
def reconcile() -> None:
    """Make django-q2's schedule table say exactly what this file says; rows it doesn't know are removed."""
    from django_q.models import Schedule

    Schedule.objects.exclude(name__in=SCHEDULES).delete()
    for name, (function, minutes) in SCHEDULES.items():
        Schedule.objects.update_or_create(
            name=name,
            defaults={
                "func": function,
                "schedule_type": Schedule.MONTHLY if minutes == MONTHLY else Schedule.MINUTES,
                "minutes": minutes or None,
                "repeats": -1,
            },
        )
