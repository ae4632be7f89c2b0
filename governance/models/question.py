from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance.models.approval import ApprovalStep


class StepQuestion(models.Model):
    """What an approver wants to know from the requester before deciding. While it is open the step's timer stands."""

    scope_path = "step__round__task__institution"

    step = models.ForeignKey(ApprovalStep, models.PROTECT, related_name="questions", verbose_name=_("approval step"))
    asker = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    question = models.TextField(_("question"))
    asked_at = models.DateTimeField(_("asked at"), auto_now_add=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("question to the requester")
        verbose_name_plural = _("questions to the requester")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["step"], condition=Q(answered_at=None), name="question_one_open"),
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="") | Q(answered_at__isnull=False) & ~Q(answer=""),
                name="question_answer_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} · {self.asker}"
