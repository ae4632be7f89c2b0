"""Reports: what was ordered, how far it is, and what was said about it. The file lies in `audit.reports.store`."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution, User
from audit.choices import UNDER_WAY, ReportFormat, ReportKind, ReportState
from audit.models.chain import Entry
from guardia.common.clock import now


class Report(models.Model):
    """One report of one institution (none: of all) over whole days.

    QUEUED ─ a worker claims it ▶ RUNNING ─ digest in the chain ▶ READY ─ its time is over ▶ EXPIRED
       ▲─ the worker died, once ─────┘ └── it can't be made ▶ FAILED ─ retry ▶ QUEUED
       └──────────────── a review is signed: made again with the signature ── READY
    """

    scope_path = "institution"

    kind = models.CharField(_("kind"), max_length=16, choices=ReportKind.choices)
    format = models.CharField(_("format"), max_length=8, choices=ReportFormat.choices)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution")
    )
    since = models.DateField(_("from day"))
    until = models.DateField(_("to day"))
    subject = models.CharField(_("of whom or what alone"), max_length=160, blank=True)
    language = models.CharField(_("language"), max_length=8, default="ko")
    reason = models.CharField(_("reason"), max_length=500)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("ordered by"))
    ordered_at = models.DateTimeField(_("ordered"), default=now)

    state = models.CharField(_("state"), max_length=16, choices=ReportState.choices, default=ReportState.QUEUED)
    # The claim: who makes it, since when nothing was heard of them, and how often it was begun.
    holder = models.CharField(max_length=36, blank=True, editable=False)
    touched_at = models.DateTimeField(default=now, editable=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    done = models.BigIntegerField(_("rows done"), default=0)
    total = models.BigIntegerField(_("rows to do"), default=0)
    error = models.CharField(_("why it failed"), max_length=500, blank=True)

    made_at = models.DateTimeField(_("made"), null=True, blank=True)
    expires_at = models.DateTimeField(_("kept until"), null=True, blank=True)
    rows = models.BigIntegerField(_("rows"), default=0)
    size = models.BigIntegerField(_("bytes"), default=0)
    digest = models.CharField("SHA-256", max_length=64, blank=True)
    entry = models.ForeignKey(
        Entry, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("chain entry")
    )
    # Entries of an access review that a person should look at (keys of `Entry`, the first of them).
    standing_out = models.JSONField(_("entries that stand out"), default=list)
    finding = models.TextField(_("finding"), blank=True)
    signed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("signed off by")
    )
    signed_at = models.DateTimeField(_("signed off"), null=True, blank=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["touched_at"], condition=models.Q(state__in=UNDER_WAY), name="reports_under_way")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(state=ReportState.READY)
                | (~models.Q(digest="") & models.Q(entry__isnull=False, made_at__isnull=False)),
                name="ready_report_has_its_digest",
            ),
            models.CheckConstraint(
                condition=models.Q(signed_by__isnull=True) | ~models.Q(signed_by=models.F("requested_by")),
                name="review_signed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.since}–{self.until} ({self.format})"

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def is_review(self) -> bool:
        return self.kind == ReportKind.ACCESS_REVIEW

    @property
    def percent(self) -> int:
        """How far it is; a hundred only when it is ready."""
        if self.state == ReportState.READY:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0


class Explanation(models.Model):
    """What somebody says about one entry of an access review. It stands in the signed edition."""

    scope_path = "report__institution"

    report = models.ForeignKey(Report, models.CASCADE, related_name="explanations", verbose_name=_("report"))
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="+", verbose_name=_("chain entry"))
    text = models.TextField(_("explanation"))
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("written by"))
    written_at = models.DateTimeField(_("written"), default=now)

    class Meta:
        verbose_name = _("explanation")
        verbose_name_plural = _("explanations")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "entry"], name="one_explanation_per_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.report_id}: {self.entry_id}"
