from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.choices import Role
from tickets.choices import SubType, TaskStatus


class StepRole(TextChoices):
    """Who is asked at a step. The owner is the team lead who answers for the system."""

    OWNER = "OWNER", _("System owner")
    PM = "PM", _("Project manager")
    SECURITY_OFFICER = "SECURITY_OFFICER", _("Security officer")


class StepStatus(TextChoices):
    WAITING = "WAITING", _("Waiting for its turn")
    PENDING = "PENDING", _("Pending")
    APPROVED = "APPROVED", _("Approved")
    REJECTED = "REJECTED", _("Rejected")
    VOID = "VOID", _("Void")


class RoundStatus(TextChoices):
    OPEN = "OPEN", _("Open")
    APPROVED = "APPROVED", _("Approved")
    REJECTED = "REJECTED", _("Rejected")
    VOID = "VOID", _("Void")


class Decision(TextChoices):
    APPROVE = "APPROVE", _("Approve")
    REJECT = "REJECT", _("Reject")


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
TAKEABLE = (TaskStatus.MANUAL, TaskStatus.FAILED, TaskStatus.PENDING_VALIDATION, TaskStatus.PREPARING_CHANGE)
