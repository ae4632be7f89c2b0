"""When work may be done, as rows: weekly windows, own holidays, freezes and their exceptions."""

from datetime import datetime, time
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import Institution, User
from cmdb.choices import Tier
from cmdb.models import System
from governance.calendar import Span, Weekly
from governance.choices import WEEKDAY_NAMES, ExceptionStatus, OnHolidays
from guardia.common.clock import now
from tickets.models import OpsTask


class ChangeWindow(models.Model):
    """Hours of every week in which changes may be made, in the time of Seoul.

    The windows that say most count alone: those of system and tier before those of the system, then of the tier, then
    of the institution. An institution without windows is always open.
    """

    scope_path = "institution"

    name = models.CharField(_("name"), max_length=64)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="windows", verbose_name=_("institution"))
    system = models.ForeignKey(
        System, models.PROTECT, null=True, blank=True, related_name="windows", verbose_name=_("system")
    )
    tier = models.PositiveSmallIntegerField(_("tier"), choices=Tier.choices, null=True, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("weekdays"), help_text=_("0 is Monday."))
    starts_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("until"), help_text=_("Not after the start: on the next day."))
    on_holidays = models.CharField(
        _("on public holidays"), max_length=16, choices=OnHolidays.choices, default=OnHolidays.FORBIDDEN
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("change window")
        verbose_name_plural = _("change windows")
        ordering: ClassVar = ["institution", "name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(on_holidays__in=OnHolidays.values), name="window_holidays_known"),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=list(range(7))) & Q(weekdays__len__gt=0),
                name="window_weekdays_known",
            ),
            models.CheckConstraint(condition=Q(tier=None) | Q(tier__in=Tier.values), name="window_tier_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def weekly(self) -> Weekly:
        """The same as a value for `governance.calendar`."""
        return Weekly(frozenset(self.weekdays), self.starts_at, self.ends_at, self.on_holidays)

    def hours_text(self) -> str:
        """The window in words: “Mon Tue 22:00-06:00” in the reader's language."""
        days = " ".join(str(WEEKDAY_NAMES[day]) for day in sorted(self.weekdays))
        end = f"{self.ends_at:%H:%M}" if self.ends_at != time() else "24:00"
        return f"{days} {self.starts_at:%H:%M}–{end}"


class ExtraHoliday(models.Model):
    """A day off beside the public holidays, of one institution or of all."""

    scope_path = "institution"

    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="extra_holidays", verbose_name=_("institution")
    )
    day = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=64)

    class Meta:
        verbose_name = _("extra holiday")
        verbose_name_plural = _("extra holidays")
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "day"], nulls_distinct=False, name="extra_holiday_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class Freeze(models.Model):
    """A time without changes: for everything, or for an institution, a system or a tier."""

    scope_path = "institution"

    name = models.CharField(_("name"), max_length=64)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="freezes", verbose_name=_("institution")
    )
    system = models.ForeignKey(
        System, models.PROTECT, null=True, blank=True, related_name="freezes", verbose_name=_("system")
    )
    tier = models.PositiveSmallIntegerField(_("tier"), choices=Tier.choices, null=True, blank=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.TextField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        ordering: ClassVar = ["-starts_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="freeze_ends_after_start"),
            models.CheckConstraint(condition=Q(system=None) | Q(institution__isnull=False), name="freeze_of_a_tenant"),
            models.CheckConstraint(condition=Q(tier=None) | Q(tier__in=Tier.values), name="freeze_tier_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="freeze_by_end")]

    def __str__(self) -> str:
        return self.name

    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)


class FreezeException(models.Model):
    """One task that may go on in spite of one freeze, when somebody else agrees.

    ::

        REQUESTED ─▶ GRANTED │ REFUSED
    """

    scope_path = "task__institution"

    freeze = models.ForeignKey(Freeze, models.PROTECT, related_name="exceptions", verbose_name=_("freeze"))
    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="freeze_exceptions", verbose_name=_("task"))
    reason = models.TextField(_("reason"), max_length=2000)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("requested by"))
    requested_at = models.DateTimeField(_("requested at"), auto_now_add=True)
    status = FSMField(
        _("status"), max_length=16, choices=ExceptionStatus.choices, default=ExceptionStatus.REQUESTED, protected=True
    )
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    comment = models.TextField(_("comment"), blank=True)

    class Meta:
        verbose_name = _("freeze exception")
        verbose_name_plural = _("freeze exceptions")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["freeze", "task"],
                condition=Q(status__in=["REQUESTED", "GRANTED"]),
                name="freeze_exception_one_living",
            ),
            models.CheckConstraint(condition=Q(status__in=ExceptionStatus.values), name="freeze_exception_status"),
            models.CheckConstraint(
                condition=Q(status="REQUESTED", decided_by=None)
                | (~Q(status="REQUESTED") & Q(decided_by__isnull=False) & ~Q(decided_by=F("requested_by"))),
                name="freeze_exception_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} · {self.freeze}"

    @transition(field=status, source=ExceptionStatus.REQUESTED, target=ExceptionStatus.GRANTED)
    def grant(self, *, by: User, comment: str) -> None:
        self._decide(by, comment, now())

    @transition(field=status, source=ExceptionStatus.REQUESTED, target=ExceptionStatus.REFUSED)
    def refuse(self, *, by: User, comment: str) -> None:
        self._decide(by, comment, now())

    def _decide(self, by: User, comment: str, at: datetime) -> None:
        self.decided_by, self.comment, self.decided_at = by, comment, at
