from typing import ClassVar

from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from cmdb.models import System
from guardia.common.clock import now


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


class Absence(models.Model):
    """Somebody is away: what would be asked of them goes to the deputy they named, else to the usual one.

    Kept for ever; ended early it says when. In force between `starts_at` and `ends_at` in the database's time.
    """

    scope_path = "user__memberships__institution"

    user = models.ForeignKey(User, models.PROTECT, related_name="absences", verbose_name=_("user"))
    deputy = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("deputy"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.TextField(_("reason"))
    set_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("set by"))
    ended_at = models.DateTimeField(_("ended early"), null=True, blank=True)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering: ClassVar = ["-starts_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | ~Q(deputy=F("user")), name="absence_deputy_is_another"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="absence_has_a_reason"),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "ends_at"], name="absence_of_user")]

    def __str__(self) -> str:
        return f"{self.user} · {self.starts_at:%Y-%m-%d %H:%M} – {self.ends_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        """Planned or in force: neither ended early nor over."""
        return self.ended_at is None and self.ends_at > now()

    @classmethod
    def in_force(cls) -> "QuerySet[Absence]":
        """Absences that hold at this moment of the database."""
        return cls.objects.filter(ended_at=None, starts_at__lte=Now(), ends_at__gt=Now())
