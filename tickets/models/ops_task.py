from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import Institution, User
from cmdb.models import Server, System
from guardia.common.clock import now
from tickets.choices import Category, Channel, Priority, Risk, SubType, TaskStatus
from tickets.models.words import Bigrams

_S = TaskStatus
_TO_PEOPLE = [
    _S.PARSED,
    _S.APPROVED,
    _S.SCHEDULED,
    _S.EXECUTING,
    _S.PENDING_VALIDATION,
    _S.FAILED,
    _S.PREPARING_CHANGE,
    _S.PENDING_REVIEW,
    _S.HALTED,
]


def is_open(task: models.Model) -> bool:
    """ERR is left by people only while nobody has closed it."""
    return getattr(task, "closed_at", None) is None


class TaskNumber(models.Model):
    """The last number given on a day; its row lock makes TASK_IDs gapless and unique."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("task number")
        verbose_name_plural = _("task numbers")

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"


class OpsTask(models.Model):
    """One maintenance request, from the request to the servers and back.

    ::

        REC ─▶ PAR ─▶ PEN ─▶ APP ───────▶ EXE ─▶ VAL ─▶ COM
         └▶ INF ─┘     └▶ REJ  └▶ SCH ─▶┘ ├▶ ERR  └▶ MAN ─▶ COM
        PEN ◀── APP, SCH                  └▶ MAN
        VAL, ERR, MAN ─▶ PAR   (planned and approved again)        VAL, ERR ─▶ EXE   (what failed, again)
        EXE ─▶ HLT ─▶ EXE (goes on, or back) │ MAN │ ERR (closed)
        APP, VAL ─▶ CHG ─▶ REV ─▶ APP    REV ─▶ CHG (rework)    ERR, CHG, REV ─▶ MAN (by hand)
        any before EXE ─▶ WDR          REJ, WDR ─▶ REC (filed again)

    ERR stays open until a PM plans it again or closes it as not done.
    """

    scope_path = "institution"

    task_id = models.CharField(_("task"), max_length=32, unique=True, editable=False)
    # Each transition writes all indexes: those of the Meta serve these two keys as well.
    institution = models.ForeignKey(
        Institution, models.PROTECT, db_index=False, related_name="tasks", verbose_name=_("institution")
    )
    requester = models.ForeignKey(
        User, models.PROTECT, db_index=False, related_name="filed_tasks", verbose_name=_("requester")
    )
    amended_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("amended by"),
        help_text=_("Who put another file in the place of the requester's; bound like the requester."),
    )
    channel = models.CharField(_("channel"), max_length=16, choices=Channel.choices)
    text = models.TextField(_("request"))
    status = FSMField(
        _("status"), max_length=3, choices=TaskStatus.choices, default=TaskStatus.RECEIVED, protected=True
    )
    reason = models.TextField(_("reason"), blank=True, help_text=_("Why the task is in this state."))
    system = models.ForeignKey(
        System, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name=_("system")
    )
    servers = models.ManyToManyField(Server, related_name="tasks", blank=True, verbose_name=_("servers"))
    category = models.CharField(_("category"), max_length=16, choices=Category.choices, blank=True)
    sub_type = models.CharField(_("sub-type"), max_length=24, choices=SubType.choices, blank=True)
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    named = models.JSONField(
        _("named outright"), default=dict, blank=True, help_text=_("System and servers given beside the text.")
    )
    intake_key = models.CharField(max_length=64, null=True, blank=True, editable=False)  # noqa: DJ001 - unique or none
    is_held = models.BooleanField(
        _("started by hand"), default=False, help_text=_("The request names a time: somebody says when it starts.")
    )
    needs_info = ArrayField(models.CharField(max_length=32), verbose_name=_("needs"), default=list, blank=True)
    risk = models.PositiveSmallIntegerField(_("risk"), choices=Risk.choices, default=Risk.VERY_HIGH)
    is_dangerous = models.BooleanField(_("looks dangerous"), default=False)
    is_urgent = models.BooleanField(_("urgent"), default=False)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    scheduled_for = models.DateTimeField(
        _("not before"), null=True, blank=True, help_text=_("Approved now, to be run later.")
    )
    expected_start = models.DateTimeField(_("expected start"), null=True, blank=True)
    created_at = models.DateTimeField(_("filed"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("ops task")
        verbose_name_plural = _("ops tasks")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(status__in=TaskStatus.values), name="task_status_known"),
            models.CheckConstraint(condition=models.Q(risk__in=Risk.values), name="task_risk_known"),
            models.CheckConstraint(condition=models.Q(priority__in=Priority.values), name="task_priority_known"),
            models.UniqueConstraint(fields=["requester", "intake_key"], name="task_filed_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "-id"], name="task_by_status"),
            models.Index(fields=["institution", "status", "-id"], name="task_by_institution"),
            models.Index(fields=["institution", "-id"], name="task_newest"),
            models.Index(fields=["requester", "-id"], name="task_by_requester"),
            models.Index(fields=["institution", "status"], condition=models.Q(closed_at=None), name="task_open"),
            GinIndex(Bigrams("text"), name="task_by_words"),
            BrinIndex(fields=["created_at"], name="task_by_day"),
            models.Index(
                fields=["priority", "-is_urgent", "id"],
                condition=models.Q(status__in=["PEN", "APP", "SCH", "EXE"]),
                name="task_queue",
            ),
        ]

    def __str__(self) -> str:
        return self.task_id

    @property
    def author_ids(self) -> frozenset[int]:
        """Whose request it is: neither of them approves, judges or releases it."""
        return frozenset({self.requester_id, self.amended_by_id or self.requester_id})

    @property
    def title(self) -> str:
        """The first words of the request, for lists and messages."""
        line = " ".join(self.text.split())
        return line if len(line) <= 80 else line[:79] + "…"

    @transition(field=status, source=[_S.RECEIVED, _S.NEEDS_INFORMATION], target=_S.PARSED)
    def mark_parsed(self) -> None:
        self.reason = ""

    @transition(field=status, source=[_S.RECEIVED, _S.NEEDS_INFORMATION], target=_S.NEEDS_INFORMATION)
    def ask_for_information(self) -> None:
        self.reason = ""

    @transition(field=status, source=[_S.PARSED, _S.APPROVED, _S.SCHEDULED], target=_S.PENDING_APPROVAL)
    def submit(self, reason: str = "") -> None:
        self.reason, self.expected_start = reason, None

    @transition(field=status, source=_S.PENDING_APPROVAL, target=_S.APPROVED)
    def approve(self) -> None:
        self.reason = ""

    @transition(field=status, source=_S.PENDING_APPROVAL, target=_S.REJECTED)
    def reject(self, reason: str) -> None:
        self._close(reason)

    @transition(field=status, source=_S.APPROVED, target=_S.SCHEDULED)
    def schedule(self, reason: str) -> None:
        self.reason = reason

    @transition(field=status, source=[_S.APPROVED, _S.SCHEDULED], target=_S.EXECUTING)
    def start(self) -> None:
        self.reason, self.expected_start = "", None

    @transition(field=status, source=_S.EXECUTING, target=_S.PENDING_VALIDATION)
    def finish(self, reason: str = "") -> None:
        self.reason = reason

    @transition(field=status, source=_S.EXECUTING, target=_S.FAILED)
    def fail(self, reason: str) -> None:
        self.reason = reason

    @transition(field=status, source=_S.EXECUTING, target=_S.HALTED)
    def halt(self, reason: str) -> None:
        self.reason = reason

    @transition(field=status, source=_S.HALTED, target=_S.EXECUTING)
    def go_on(self, reason: str) -> None:
        self.reason = reason

    @transition(field=status, source=[_S.PENDING_VALIDATION, _S.FAILED], target=_S.EXECUTING, conditions=[is_open])
    def retry(self, reason: str) -> None:
        self.reason = reason

    @transition(field=status, source=_S.HALTED, target=_S.FAILED)
    def close_halted(self, reason: str) -> None:
        self._close(reason)

    @transition(field=status, source=_TO_PEOPLE, target=_S.MANUAL, conditions=[is_open])
    def hand_over(self, reason: str) -> None:
        self.reason = reason

    @transition(
        field=status,
        source=[_S.PENDING_VALIDATION, _S.FAILED, _S.MANUAL],
        target=_S.PARSED,
        conditions=[is_open],
    )
    def plan_again(self, reason: str) -> None:
        self.reason = reason

    @transition(
        field=status, source=[_S.APPROVED, _S.PENDING_VALIDATION, _S.PENDING_REVIEW], target=_S.PREPARING_CHANGE
    )
    def prepare_change(self, reason: str = "") -> None:
        self.reason = reason

    @transition(field=status, source=_S.PREPARING_CHANGE, target=_S.PENDING_REVIEW)
    def submit_change(self) -> None:
        self.reason = ""

    @transition(field=status, source=_S.PENDING_REVIEW, target=_S.APPROVED)
    def accept_change(self) -> None:
        self.reason = ""

    @transition(field=status, source=_S.PENDING_VALIDATION, target=_S.COMPLETED)
    def complete(self, reason: str = "") -> None:
        self._close(reason)

    @transition(field=status, source=_S.MANUAL, target=_S.COMPLETED)
    def close_by_hand(self, reason: str) -> None:
        self._close(reason)

    @transition(field=status, source=_S.FAILED, target=_S.FAILED, conditions=[is_open])
    def close_not_done(self, reason: str) -> None:
        self._close(reason)

    @transition(field=status, source=_S.MANUAL, target=_S.REJECTED)
    def drop(self, reason: str) -> None:
        self._close(reason)

    @transition(
        field=status,
        source=[_S.RECEIVED, _S.NEEDS_INFORMATION, _S.PARSED, _S.PENDING_APPROVAL, _S.APPROVED, _S.SCHEDULED],
        target=_S.WITHDRAWN,
    )
    def withdraw(self, reason: str = "") -> None:
        self._close(reason)

    @transition(field=status, source=[_S.REJECTED, _S.WITHDRAWN], target=_S.RECEIVED)
    def resubmit(self, reason: str = "") -> None:
        self.reason, self.closed_at = reason, None

    def _close(self, reason: str) -> None:
        self.reason, self.closed_at = reason, now()
