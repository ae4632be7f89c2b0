from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RunStatus(TextChoices):
    RUNNING = "RUNNING", _("Running")
    ROLLING_BACK = "ROLLING_BACK", _("Rolling back")
    SUCCEEDED = "SUCCEEDED", _("Succeeded")
    ROLLED_BACK = "ROLLED_BACK", _("Rolled back")
    MANUAL = "MANUAL", _("Manual intervention")
    ABORTED = "ABORTED", _("Aborted")
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
    CHECK_PENDING = "CHECK_PENDING", _("To be checked again")
    CHECKING = "CHECKING", _("Being checked again")
    SKIPPED = "SKIPPED", _("Skipped")
    RETRIED = "RETRIED", _("Tried again")


#: A worker holds these by a lease.
HELD = (HostStatus.RUNNING, HostStatus.CHECKING, HostStatus.UNDOING)
#: A worker may take these.
CLAIMABLE = (HostStatus.PENDING, HostStatus.CHECK_PENDING, HostStatus.UNDO_PENDING)
#: On the way back, or at its end.
GOING_BACK = (HostStatus.UNDO_PENDING, HostStatus.UNDOING, HostStatus.UNDONE, HostStatus.UNDO_FAILED)
#: These need nothing more from a worker.
SETTLED = tuple(status for status in HostStatus if status not in HELD + CLAIMABLE)
#: Failed, as far as a run that still goes on is concerned: what goes back then does so alone.
OUT = (HostStatus.FAILED, HostStatus.UNCERTAIN, *GOING_BACK)
#: People should look at these.
BAD = (HostStatus.FAILED, HostStatus.UNCERTAIN, HostStatus.UNDO_FAILED)


class HeldFor(TextChoices):
    """What a run's next wave waits for."""

    HOURS = "HOURS", _("Change window")
    BAKE = "BAKE", _("Being watched")
    GATE = "GATE", _("Waits for somebody")
    PAUSE = "PAUSE", _("Paused")


class RollbackScope(TextChoices):
    """What goes back: the failed servers alone, their wave, or everything that the run has changed."""

    HOST = "host", _("The failed servers")
    WAVE = "wave", _("The wave")
    RUN = "run", _("Everything this run has changed")


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
    CHECK = "CHECK", _("Check again")
    UNDO = "UNDO", _("Roll back")


class StepStatus(TextChoices):
    STARTED = "STARTED", _("Started")
    OK = "OK", _("OK")
    FAILED = "FAILED", _("Failed")
    UNCERTAIN = "UNCERTAIN", _("Outcome unknown")
    PROBED = "PROBED", _("Found done")


#: The error code of hosts and steps that the kill switch stopped; it is never the code of a failure.
HALTED_CODE = "halted"
#: The error code of hosts that a person left out, and of those left alone because their group has no node to spare.
SKIPPED_CODE, GROUP_CODE = "skipped", "group_isolated"
