from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from cmdb.models import System
from governance.choices import StepRole
from tickets.choices import SubType


class StandingApproval(models.Model):
    """What somebody approves beforehand: one kind of work on one system, until a day, so often per period.

    It is a person's word: whoever gave it must still be able to decide the step when it is used. It never grows:
    another extent is another one. Its uses are the approval steps that name it.
    """

    scope_path = "system__institution"

    giver = models.ForeignKey(User, models.PROTECT, related_name="standing_approvals", verbose_name=_("given by"))
    role = models.CharField(_("role"), max_length=24, choices=StepRole.choices)
    system = models.ForeignKey(System, models.PROTECT, related_name="standing_approvals", verbose_name=_("system"))
    sub_type = models.CharField(_("sub-type"), max_length=24, choices=SubType.choices)
    reason = models.TextField(_("reason"))
    uses_allowed = models.PositiveSmallIntegerField(_("times per period"))
    period_days = models.PositiveSmallIntegerField(_("period in days"))
    valid_until = models.DateTimeField(_("valid until"))
    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("revoked by")
    )

    class Meta:
        verbose_name = _("standing pre-approval")
        verbose_name_plural = _("standing pre-approvals")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(uses_allowed__gte=1, period_days__gte=1), name="standing_extent"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("created_at")), name="standing_ends"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="standing_revoked_by_somebody",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["system", "sub_type", "role"], name="standing_for_work")]

    def __str__(self) -> str:
        return f"{self.pk} · {self.system} · {self.get_sub_type_display()}"

    def is_valid_at(self, moment: datetime) -> bool:
        return self.revoked_at is None and moment < self.valid_until

    @property
    def period(self) -> timedelta:
        return timedelta(days=self.period_days)
