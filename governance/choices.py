from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


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
