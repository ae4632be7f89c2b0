from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


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


class Decision(TextChoices):
    APPROVE = "APPROVE", _("Approve")
    REJECT = "REJECT", _("Reject")
