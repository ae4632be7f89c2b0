from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import User
from governance.choices import ChangeStatus
from governance.models.policy import ApprovalPolicy
from guardia.common.clock import now


class PolicyChange(models.Model):
    """A proposal to add, change or remove a policy; another officer decides on it. Of no institution, as policies are.

    `before` and `after` are documents (`governance.policy_documents`); None where there was or will be no policy.

    ::

        OPEN ─▶ APPLIED │ REFUSED │ WITHDRAWN
    """

    policy = models.ForeignKey(
        ApprovalPolicy, models.SET_NULL, null=True, blank=True, related_name="changes", verbose_name=_("policy")
    )
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    reason = models.TextField(_("reason"))
    proposer = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    status = FSMField(_("status"), max_length=16, choices=ChangeStatus.choices, default="OPEN", protected=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    comment = models.TextField(_("comment"), blank=True)

    class Meta:
        verbose_name = _("policy change")
        verbose_name_plural = _("policy changes")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="OPEN", decided_by__isnull=True, decided_at__isnull=True)
                | Q(status="WITHDRAWN", decided_by=F("proposer"), decided_at__isnull=False)
                | Q(status__in=["APPLIED", "REFUSED"], decided_by__isnull=False, decided_at__isnull=False)
                & ~Q(decided_by=F("proposer")),
                name="change_decided_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.title}"

    @property
    def title(self) -> str:
        """The name of the policy that it is about."""
        return str((self.after or self.before or {}).get("name", ""))

    @transition(field=status, source=ChangeStatus.OPEN, target=ChangeStatus.APPLIED)
    def apply(self, *, by: User, comment: str) -> None:
        self._decide(by, comment)

    @transition(field=status, source=ChangeStatus.OPEN, target=ChangeStatus.REFUSED)
    def refuse(self, *, by: User, comment: str) -> None:
        self._decide(by, comment)

    @transition(field=status, source=ChangeStatus.OPEN, target=ChangeStatus.WITHDRAWN)
    def withdraw(self, *, by: User, comment: str) -> None:
        self._decide(by, comment)

    def _decide(self, by: User, comment: str) -> None:
        self.decided_by, self.decided_at, self.comment = by, now(), comment
