"""Run → Wave → HostRun → StepResult (`host_run`): the rows are the truth, no process holds it."""

from typing import ClassVar

from django.db import models
from django.db.models import Deferrable, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import User
from execution.choices import HeldFor, RollbackScope, RunStatus
from execution.models.plan import Plan
from guardia.common.clock import now
from tickets.models import OpsTask


class Run(models.Model):
    """One execution of one approved plan.

    ::

        RUNNING ─▶ SUCCEEDED │ MANUAL
          ├▶ ROLLING_BACK ─▶ ROLLED_BACK │ ABORTED │ MANUAL
          └▶ HALTED ─▶ RUNNING │ ROLLING_BACK        ROLLING_BACK ─▶ HALTED
        SUCCEEDED, ROLLED_BACK, ABORTED ─▶ RUNNING   (what failed is tried again)

    `held_at` is set while the next wave waits, `held_for` says for what; `resumed_by` is the PM who let the run go on
    outside of its change window (never in a freeze). `rollback` is set as soon as it is to go back, and says what of
    it; `aborted_by` where that was a person's wish. `halt` is the press of the kill switch that stops or stopped it: a
    run that it reached ends in HALTED even if it is lifted at once. A halted run keeps its servers until people end it.
    """

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="runs", verbose_name=_("task"))
    plan = models.OneToOneField(Plan, models.PROTECT, related_name="run", verbose_name=_("plan"))
    status = FSMField(_("status"), max_length=16, choices=RunStatus.choices, default=RunStatus.RUNNING, protected=True)
    diff_digest = models.CharField(
        _("diff digest"), max_length=64, blank=True, help_text=_("Of the change that a PM accepted; empty without one.")
    )
    reason = models.TextField(_("reason"), blank=True)
    held_at = models.DateTimeField(_("held since"), null=True, blank=True)
    held_because = models.TextField(_("held because"), blank=True)
    held_for = models.CharField(_("held for"), max_length=8, choices=HeldFor.choices, blank=True)
    resumed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("resumed by")
    )
    rollback = models.CharField(_("goes back"), max_length=8, choices=RollbackScope.choices, blank=True)
    aborted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("aborted by")
    )
    halt = models.ForeignKey(
        "Halt", models.PROTECT, null=True, blank=True, related_name="stopped_runs", verbose_name=_("halt")
    )
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_known"),
            models.UniqueConstraint(fields=["task"], condition=Q(finished_at=None), name="run_one_living"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(status__in=["RUNNING", "ROLLING_BACK"]), name="run_living")
        ]

    def __str__(self) -> str:
        return f"{self.task} · run {self.pk}"

    @property
    def is_living(self) -> bool:
        return self.status in (RunStatus.RUNNING, RunStatus.ROLLING_BACK)

    def let_go(self) -> None:
        """The next wave waits no longer."""
        self.held_at, self.held_for, self.held_because = None, "", ""

    @transition(field=status, source=[RunStatus.RUNNING, RunStatus.HALTED], target=RunStatus.ROLLING_BACK)
    def roll_back(self, reason: str, scope: str = RollbackScope.RUN) -> None:
        self.reason, self.rollback = reason, scope
        self.let_go()

    @transition(field=status, source=RunStatus.RUNNING, target=RunStatus.SUCCEEDED)
    def succeed(self, reason: str = "") -> None:
        self.reason, self.finished_at = reason, now()

    @transition(field=status, source=RunStatus.ROLLING_BACK, target=RunStatus.ABORTED)
    def finish_abort(self) -> None:
        self.finished_at = now()

    @transition(
        field=status,
        source=[RunStatus.SUCCEEDED, RunStatus.ROLLED_BACK, RunStatus.ABORTED],
        target=RunStatus.RUNNING,
    )
    def reopen(self) -> None:
        """What failed is tried again."""
        self.reason, self.rollback, self.aborted_by, self.finished_at = "", "", None, None

    @transition(field=status, source=RunStatus.ROLLING_BACK, target=RunStatus.ROLLED_BACK)
    def finish_rollback(self) -> None:
        self.finished_at = now()

    @transition(field=status, source=[RunStatus.RUNNING, RunStatus.ROLLING_BACK], target=RunStatus.MANUAL)
    def hand_over(self, reason: str) -> None:
        self.reason, self.finished_at = reason, now()

    @transition(field=status, source=[RunStatus.RUNNING, RunStatus.ROLLING_BACK], target=RunStatus.HALTED)
    def stop(self, reason: str) -> None:
        self.reason = reason

    @transition(field=status, source=RunStatus.HALTED, target=RunStatus.RUNNING)
    def resume(self) -> None:
        self.reason, self.halt = "", None

    @transition(field=status, source=RunStatus.HALTED, target=RunStatus.HALTED)
    def end_halted(self) -> None:
        """Nobody resumes it any more."""
        self.finished_at = now()


class Wave(models.Model):
    """Hosts that go together. The next wave opens when all of them are done and healthy.

    `is_open`: workers may take its hosts. `settled_at`: since then it is watched; `checked_at`: its health was asked
    for again after that. `let_go_by`: who let it go, where the strategy has a gate.
    """

    scope_path = "run__task__institution"

    run = models.ForeignKey(Run, models.PROTECT, related_name="waves", verbose_name=_("run"))
    number = models.PositiveSmallIntegerField(_("wave"))
    is_open = models.BooleanField(_("open"), default=False)
    is_retry = models.BooleanField(_("second try"), default=False)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    settled_at = models.DateTimeField(_("watched since"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked again"), null=True, blank=True)
    let_go_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("let go by")
    )

    class Meta:
        verbose_name = _("wave")
        verbose_name_plural = _("waves")
        ordering: ClassVar = ["run", "number"]
        constraints: ClassVar = [  # at the end of a statement, so that one can put a wave in between
            models.UniqueConstraint(fields=["run", "number"], name="wave_number_once", deferrable=Deferrable.IMMEDIATE)
        ]

    def __str__(self) -> str:
        return f"{self.run} · wave {self.number}"
