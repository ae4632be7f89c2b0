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


#: Roles whose holders work in the admin; site managers have the portal.
STAFF_ROLES = frozenset(Role) - {Role.SITE_MANAGER}
