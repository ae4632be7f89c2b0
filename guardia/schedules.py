"""Everything that happens by the clock, in code: the table is made equal to it whenever a worker starts."""

from django.db import transaction

#: name → (task, minutes)
SCHEDULES = {
    "sweep of plans and runs": ("execution.tasks.sweep", 1),
}


@transaction.atomic
def reconcile() -> None:
    """Make django-q2's schedule table say exactly what this file says; rows it doesn't know are removed."""
    from django_q.models import Schedule

    Schedule.objects.exclude(name__in=SCHEDULES).delete()
    for name, (function, minutes) in SCHEDULES.items():
        Schedule.objects.update_or_create(
            name=name,
            defaults={"func": function, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1},
        )
