from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from cmdb.models import System


class SystemOwner(models.Model):
    """Who answers for a system: asked first, then the deputy, then the supervisor."""

    scope_path = "system__institution"

    system = models.OneToOneField(System, models.CASCADE, related_name="ownership", verbose_name=_("system"))
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("owner"))
    deputy = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("deputy"))
    supervisor = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("supervisor")
    )
    sla_minutes = models.PositiveIntegerField(_("minutes to answer"), default=10)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("system owner")
        verbose_name_plural = _("system owners")
        ordering: ClassVar = ["system"]

    def __str__(self) -> str:
        return f"{self.system} · {self.owner}"

    def people(self) -> list[User]:
        """In the order in which they are asked."""
        return [person for person in (self.owner, self.deputy, self.supervisor) if person is not None]
