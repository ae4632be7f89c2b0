from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance.choices import ReviewDecision
from tickets.models import OpsTask


class ResultReview(models.Model):
    """A PM's judgement on what a run left behind. The comment of a rework is the instruction for the next plan."""

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="result_reviews", verbose_name=_("task"))
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("reviewer"))
    decision = models.CharField(_("decision"), max_length=16, choices=ReviewDecision.choices)
    comment = models.TextField(_("comment"), blank=True)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("result review")
        verbose_name_plural = _("result reviews")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(decision=ReviewDecision.ACCEPT)
                | Q(decision__in=[ReviewDecision.REWORK, ReviewDecision.TAKE_OVER]) & ~Q(comment=""),
                name="result_review_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} · {self.reviewer}"


class ChangeReview(models.Model):
    """One revision of a prepared change, and the PM's word on it. Rework makes the next revision.

    `context` is what the one who prepared it was given (files, plan, tool); JSON, masked when it is exported.
    """

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="change_reviews", verbose_name=_("task"))
    revision = models.PositiveIntegerField(_("revision"))
    submitted_by = models.CharField(_("prepared by"), max_length=160)
    submitted_at = models.DateTimeField(_("prepared"), auto_now_add=True)
    diff = models.TextField(_("diff"))
    diff_digest = models.CharField(_("diff digest"), max_length=64)
    context = models.JSONField(_("context"), default=dict, blank=True)
    decision = models.CharField(_("decision"), max_length=16, choices=ReviewDecision.choices, blank=True)
    reviewer = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reviewer")
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    instruction = models.TextField(_("instruction"), blank=True)

    class Meta:
        verbose_name = _("change review")
        verbose_name_plural = _("change reviews")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "revision"], name="change_revision_once"),
            models.UniqueConstraint(fields=["task"], condition=Q(decision=""), name="change_one_waiting"),
            models.CheckConstraint(
                condition=Q(decision="", reviewer__isnull=True, reviewed_at__isnull=True)
                | Q(decision__in=ReviewDecision.values, reviewer__isnull=False, reviewed_at__isnull=False),
                name="change_review_complete",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=["", ReviewDecision.ACCEPT]) | ~Q(instruction=""),
                name="change_review_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} · {self.revision}"
