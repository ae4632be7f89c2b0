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
