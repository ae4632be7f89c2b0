from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import User
from governance.choices import Level, RoundStatus, SatisfiedBy, StepRole, StepStatus
from governance.models.standing import StandingApproval
from guardia.common.clock import now
from tickets.choices import Channel
from tickets.models import OpsTask


class ApprovalRound(models.Model):
    """One passage of a task through its approvals, for one plan. Another plan means another round.

    ::

        OPEN ─▶ APPROVED ─▶ VOID   (what was approved has changed)
          └▶ REJECTED
    """

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="rounds", verbose_name=_("task"))
    number = models.PositiveSmallIntegerField(_("round"))
    policy = models.CharField(_("policy"), max_length=64)
    plan_digest = models.CharField(_("plan digest"), max_length=64)
    status = FSMField(_("status"), max_length=16, choices=RoundStatus.choices, default=RoundStatus.OPEN, protected=True)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("approval round")
        verbose_name_plural = _("approval rounds")
        ordering: ClassVar = ["task", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "number"], name="round_number_once"),
            models.UniqueConstraint(
                fields=["task"], condition=Q(status__in=["OPEN", "APPROVED"]), name="round_one_living"
            ),
            models.CheckConstraint(condition=Q(status__in=RoundStatus.values), name="round_status_known"),
        ]

    def __str__(self) -> str:
        return f"{self.task} · {self.number}"

    @transition(field=status, source=RoundStatus.OPEN, target=RoundStatus.APPROVED)
    def approve(self) -> None: ...

    @transition(field=status, source=RoundStatus.OPEN, target=RoundStatus.REJECTED)
    def reject(self) -> None: ...

    @transition(field=status, source=[RoundStatus.OPEN, RoundStatus.APPROVED], target=RoundStatus.VOID)
    def void(self) -> None: ...


class ApprovalStep(models.Model):
    """One question to one person, or (`is_automatic`, nobody asked) Guardia's own check. The database itself refuses
    a decision by the requester, a second decision by one person in a round, a decision without its digest, and
    an approval without a person that isn't an automatic step's.

    `decided_by` is the person who decided; for a standing pre-approval the one who gave it, so that the rules on
    people hold for it as well. `findings` is what the automatic check looked at: `{check, is_good, told}` each.

    While it is PENDING it climbs: owner, deputy, supervisor, each with the time of the system's SLA (`due_at`, in the
    database's time; empty while the requester is asked something). Nobody answered: EXPIRED, decided by nobody.

    ::

        WAITING ─▶ PENDING ─▶ APPROVED
           │          ├▶ REJECTED            any open ─▶ VOID
           │          └▶ EXPIRED
           └▶ APPROVED  (satisfied without asking)
    """

    scope_path = "round__task__institution"

    # Each decision writes all indexes: none that another one serves, and none by people who are never deleted.
    round = models.ForeignKey(
        ApprovalRound, models.PROTECT, db_index=False, related_name="steps", verbose_name=_("round")
    )
    order = models.PositiveSmallIntegerField(_("order"))
    role = models.CharField(_("role"), max_length=24, choices=StepRole.choices)
    requester = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+", verbose_name=_("requester"))
    original_owner = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+", verbose_name=_("original owner")
    )
    approver = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="approval_steps",
        verbose_name=_("asked"),
    )
    needs_reauthentication = models.BooleanField(_("asks for the password again"), default=False)
    is_automatic = models.BooleanField(_("automatic security check"), default=False)
    findings = models.JSONField(_("findings"), default=list, blank=True)
    status = FSMField(
        _("status"), max_length=16, choices=StepStatus.choices, default=StepStatus.WAITING, protected=True
    )
    escalation_level = models.PositiveSmallIntegerField(
        _("escalation level"), choices=Level.choices, default=Level.OWNER
    )
    asked_at = models.DateTimeField(_("asked at"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_in = models.CharField(_("decided in"), max_length=16, choices=Channel.choices, blank=True)
    satisfied_by = models.CharField(_("satisfied by"), max_length=16, choices=SatisfiedBy.choices, blank=True)
    standing_approval = models.ForeignKey(
        StandingApproval,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="uses",
        verbose_name=_("standing pre-approval"),
    )
    digest_seen = models.CharField(_("digest seen"), max_length=64, blank=True)
    comment = models.TextField(_("comment"), blank=True)

    class Meta:
        verbose_name = _("approval step")
        verbose_name_plural = _("approval steps")
        ordering: ClassVar = ["round", "order"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "order"], name="step_order_once"),
            models.UniqueConstraint(
                fields=["round", "decided_by"], condition=Q(decided_by__isnull=False), name="step_one_per_person"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requester")), name="step_not_by_requester"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["APPROVED", "REJECTED"], decided_at__isnull=False)
                & (Q(decided_by__isnull=False) | Q(satisfied_by="AUTOMATIC"))
                & ~Q(digest_seen="")
                | Q(status__in=["WAITING", "PENDING", "VOID", "EXPIRED"]),
                name="step_decision_complete",
            ),
            models.CheckConstraint(
                condition=Q(approver__isnull=False) | Q(is_automatic=True) & ~Q(status__in=["PENDING", "REJECTED"]),
                name="step_asks_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(satisfied_by="AUTOMATIC")
                | Q(status="APPROVED", is_automatic=True, approver__isnull=True, decided_by__isnull=True),
                name="step_automatic_is_nobodys",
            ),
            models.CheckConstraint(
                condition=Q(standing_approval__isnull=True) & ~Q(satisfied_by="STANDING")
                | Q(
                    standing_approval__isnull=False,
                    decided_by__isnull=False,
                    satisfied_by="STANDING",
                    status="APPROVED",
                    is_automatic=False,
                    needs_reauthentication=False,
                ),
                name="step_standing_approves",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["WAITING", "PENDING", "VOID", "EXPIRED"]) | Q(decided_by__isnull=True),
                name="step_undecided_has_no_decider",
            ),
            models.CheckConstraint(
                condition=~Q(status="EXPIRED") | Q(decided_at__isnull=False), name="step_expiry_has_its_time"
            ),
            models.CheckConstraint(condition=Q(escalation_level__in=Level.values), name="step_level_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["approver", "status", "-id"], name="step_inbox"),
            models.Index(fields=["due_at"], condition=Q(status="PENDING"), name="step_due"),
        ]

    def __str__(self) -> str:
        return f"{self.round} · {self.order}. {self.get_role_display()}"

    @transition(field=status, source=StepStatus.WAITING, target=StepStatus.PENDING)
    def ask(self) -> None:
        self.asked_at = now()

    @transition(field=status, source=StepStatus.PENDING, target=StepStatus.APPROVED)
    def approve(self, *, by: User, digest: str, channel: str, comment: str) -> None:
        self._decide(by, digest, channel, comment)

    @transition(field=status, source=StepStatus.PENDING, target=StepStatus.REJECTED)
    def reject(self, *, by: User, digest: str, channel: str, comment: str) -> None:
        self._decide(by, digest, channel, comment)

    @transition(field=status, source=StepStatus.WAITING, target=StepStatus.APPROVED)
    def satisfy(self, *, by: SatisfiedBy, digest: str, standing: StandingApproval | None = None) -> None:
        """Approve without asking: by the automatic check, or by what somebody approved beforehand."""
        self.satisfied_by, self.decided_at, self.digest_seen = by, now(), digest
        self.standing_approval, self.decided_by = standing, standing.giver if standing else None

    @transition(field=status, source=StepStatus.PENDING, target=StepStatus.EXPIRED)
    def expire(self, reason: str) -> None:
        self.comment, self.decided_at = reason, now()

    @property
    def asked_person(self) -> User:
        """Who is asked; a step that asks nobody (`is_automatic`) is never pending, so it has none."""
        assert self.approver is not None, "an automatic step asks nobody"
        return self.approver

    @property
    def is_urgent(self) -> bool:
        """The supervisor is asked: nobody after that."""
        return self.escalation_level == Level.SUPERVISOR

    @transition(field=status, source=[StepStatus.WAITING, StepStatus.PENDING], target=StepStatus.VOID)
    def void(self) -> None: ...

    def _decide(self, by: User, digest: str, channel: str, comment: str) -> None:
        self.decided_by, self.decided_at, self.decided_in = by, now(), channel
        self.digest_seen, self.comment, self.satisfied_by = digest, comment, SatisfiedBy.PERSON
