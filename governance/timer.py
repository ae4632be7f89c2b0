"""Deadlines of approval steps: counted by the database's clock, in the minutes of the system's SLA."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Expression
from django.db.models.functions import Now

from governance.models import ApprovalStep


def due_in(minutes: int) -> Expression:
    """The database's moment `minutes` from now. A minute is as long as the settings say (demonstrations run faster)."""
    return Now() + timedelta(seconds=seconds_of(minutes))


def seconds_of(minutes: int) -> float:
    """How long these minutes of an SLA last."""
    return float(minutes * settings.GUARDIA_SLA_SECONDS_PER_MINUTE)


def restart_timer(step: ApprovalStep, minutes: int) -> None:
    """Give a locked step its whole time, from now on."""
    ApprovalStep.objects.filter(pk=step.pk).update(due_at=due_in(minutes))
    step.refresh_from_db(fields=["due_at"])


def stop_timer(step: ApprovalStep) -> None:
    """No deadline while somebody else is asked something."""
    step.due_at = None
    step.save(update_fields=["due_at"])
