from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RunStatus(TextChoices):
    RUNNING = "RUNNING", _("Running")
    ROLLING_BACK = "ROLLING_BACK", _("Rolling back")
    SUCCEEDED = "SUCCEEDED", _("Succeeded")
    ROLLED_BACK = "ROLLED_BACK", _("Rolled back")
    MANUAL = "MANUAL", _("Manual intervention")
    HALTED = "HALTED", _("Halted")


class HostStatus(TextChoices):
    PENDING = "PENDING", _("Pending")
    RUNNING = "RUNNING", _("Running")
    DONE = "DONE", _("Done")
    FAILED = "FAILED", _("Failed")
    UNCERTAIN = "UNCERTAIN", _("Outcome unknown")
    UNDO_PENDING = "UNDO_PENDING", _("To be rolled back")
    UNDOING = "UNDOING", _("Rolling back")
    UNDONE = "UNDONE", _("Rolled back")
    UNDO_FAILED = "UNDO_FAILED", _("Rollback failed")
    UNTOUCHED = "UNTOUCHED", _("Not touched")
    HALTED = "HALTED", _("Halted")


#: A worker holds these by a lease.
HELD = (HostStatus.RUNNING, HostStatus.UNDOING)
#: A worker may take these.
CLAIMABLE = (HostStatus.PENDING, HostStatus.UNDO_PENDING)
#: On the way back, or at its end.
GOING_BACK = (HostStatus.UNDO_PENDING, HostStatus.UNDOING, HostStatus.UNDONE, HostStatus.UNDO_FAILED)
#: These need nothing more from a worker.
SETTLED = tuple(status for status in HostStatus if status not in HELD + CLAIMABLE)
#: People should look at these.
BAD = (HostStatus.FAILED, HostStatus.UNCERTAIN, HostStatus.UNDO_FAILED)


class HaltScope(TextChoices):
    """What a press of the kill switch stops."""

    GLOBAL = "GLOBAL", _("Everything")
    INSTITUTION = "INSTITUTION", _("One institution")
    RUN = "RUN", _("One run")


class ScanStatus(TextChoices):
    WAITING = "WAITING", _("Being asked")
    SHOWN = "SHOWN", _("To be compared")
    FAILED = "FAILED", _("Not reached")
    ACCEPTED = "ACCEPTED", _("Pinned")
    REFUSED = "REFUSED", _("Refused")


class Phase(TextChoices):
    APPLY = "APPLY", _("Apply")
    UNDO = "UNDO", _("Roll back")


class StepStatus(TextChoices):
    STARTED = "STARTED", _("Started")
    OK = "OK", _("OK")
    FAILED = "FAILED", _("Failed")
    UNCERTAIN = "UNCERTAIN", _("Outcome unknown")
    PROBED = "PROBED", _("Found done")


#: The error code of hosts and steps that the kill switch stopped; it is never the code of a failure.
HALTED_CODE = "halted"
