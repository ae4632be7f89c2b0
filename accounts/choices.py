from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What somebody may do; held per institution by a membership."""

    SITE_MANAGER = "SITE_MANAGER", _("Site manager")
    TEAM_LEAD = "TEAM_LEAD", _("Team lead")
    PM = "PM", _("Project manager")
    SECURITY_OFFICER = "SECURITY_OFFICER", _("Security officer")
    OPERATOR = "OPERATOR", _("Operator")
    AUDITOR = "AUDITOR", _("Auditor")
    ADMINISTRATOR = "ADMINISTRATOR", _("Administrator")


class Authority(TextChoices):
    """What a membership's holder may do with what waits for a decision: a viewer is never asked and can't decide."""

    APPROVER = "APPROVER", _("Approver")
    VIEWER = "VIEWER", _("Viewer")


#: Roles whose holders work in the admin; site managers have the portal.
STAFF_ROLES = frozenset(Role) - {Role.SITE_MANAGER}


class SessionEnd(TextChoices):
    """Why a session ended."""

    LOGGED_OUT = "LOGGED_OUT", _("Logged out")
    IDLE = "IDLE", _("Not used for too long")
    EXPIRED = "EXPIRED", _("Reached its longest time")
    BY_USER = "BY_USER", _("Ended from the account page")
    PASSWORD = "PASSWORD", _("Password changed")
    DISABLED = "DISABLED", _("Account disabled")


class TokenScope(TextChoices):
    """What a personal API token may be used for; each view of the API names the one it needs."""

    READ = "read", _("Read")
    FILE = "file", _("File requests")
    APPROVE = "approve", _("Decide approvals")


class ProofMethod(TextChoices):
    """How somebody showed again who they are."""

    PASSWORD = "password", _("Password")
    OTP = "otp", _("One-time code")
