from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.choices import Role
from tickets.choices import SubType, TaskStatus


class StepRole(TextChoices):
    """Who is asked at a step. The owner is the team lead who answers for the system."""

    OWNER = "OWNER", _("System owner")
    PM = "PM", _("Project manager")
    SECURITY_OFFICER = "SECURITY_OFFICER", _("Security officer")


class SatisfiedBy(TextChoices):
    """Whose word a step's approval is."""

    PERSON = "PERSON", _("A person")
    STANDING = "STANDING", _("A standing pre-approval")
    AUTOMATIC = "AUTOMATIC", _("The automatic security check")


class StepStatus(TextChoices):
    WAITING = "WAITING", _("Waiting for its turn")
    PENDING = "PENDING", _("Pending")
    APPROVED = "APPROVED", _("Approved")
    REJECTED = "REJECTED", _("Rejected")
    VOID = "VOID", _("Void")
    EXPIRED = "EXPIRED", _("Nobody answered")


class Level(IntegerChoices):
    """How far a step has been escalated: who is asked now."""

    OWNER = 0, _("Owner")
    DEPUTY = 1, _("Deputy")
    SUPERVISOR = 2, _("Supervisor")


class RoundStatus(TextChoices):
    OPEN = "OPEN", _("Open")
    APPROVED = "APPROVED", _("Approved")
    REJECTED = "REJECTED", _("Rejected")
    VOID = "VOID", _("Void")


class ChangeStatus(TextChoices):
    OPEN = "OPEN", _("Open")
    APPLIED = "APPLIED", _("Applied")
    REFUSED = "REFUSED", _("Refused")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


class Decision(TextChoices):
    APPROVE = "APPROVE", _("Approve")
    REJECT = "REJECT", _("Reject")


class OnHolidays(TextChoices):
    """What a public holiday means to a change window."""

    ALLOWED = "ALLOWED", _("Open on holidays too")
    FORBIDDEN = "FORBIDDEN", _("Closed on holidays")
    ONLY = "ONLY", _("Open on holidays only")


class ExceptionStatus(TextChoices):
    REQUESTED = "REQUESTED", _("Requested")
    GRANTED = "GRANTED", _("Granted")
    REFUSED = "REFUSED", _("Refused")


class HoldKind(TextChoices):
    """Why an approved task doesn't start yet."""

    LATER = "LATER", _("To be run later")
    WINDOW = "WINDOW", _("Outside the change window")
    FREEZE = "FREEZE", _("Frozen")


#: Short, from Monday on: Django's own Korean ones aren't.
WEEKDAY_NAMES = (
    pgettext_lazy("weekday", "Mon"),
    pgettext_lazy("weekday", "Tue"),
    pgettext_lazy("weekday", "Wed"),
    pgettext_lazy("weekday", "Thu"),
    pgettext_lazy("weekday", "Fri"),
    pgettext_lazy("weekday", "Sat"),
    pgettext_lazy("weekday", "Sun"),
)


class ReviewDecision(TextChoices):
    """What a PM says to a result or to a prepared change."""

    ACCEPT = "accept", _("Accept")
    REWORK = "rework", _("Rework")
    TAKE_OVER = "take_over", _("Take over by hand")


#: Work whose change is prepared first, and approved a second time by the PM's review of the diff.
CHANGES_CODE = frozenset({SubType.CODE_FIX})

#: Who may take a task into their own hands.
HANDS = (Role.OPERATOR, Role.PM)
#: The states from which they may.
TAKEABLE = (
    TaskStatus.MANUAL,
    TaskStatus.FAILED,
    TaskStatus.PENDING_VALIDATION,
    TaskStatus.PREPARING_CHANGE,
    TaskStatus.HALTED,
)
