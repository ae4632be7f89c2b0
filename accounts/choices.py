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
