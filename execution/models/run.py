"""Run → Wave → HostRun → StepResult: the rows are the truth, no process holds it."""

from typing import ClassVar

from django.db import models
from django.db.models import Deferrable, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import User
from cmdb.models import Server
from execution.choices import HeldFor, HostStatus, Phase, RollbackScope, RunStatus, StepStatus
from execution.models.plan import Plan
from guardia.common.clock import now
from tickets.models import OpsTask

_H = HostStatus


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


class HostRun(models.Model):
    """One host in one run. Held by a worker's claim, which is a lease; `saved` keeps what later steps compare with.

    ::

        PENDING ─▶ RUNNING ─▶ DONE
           │          ├▶ FAILED      DONE, FAILED ─▶ UNDO_PENDING ─▶ UNDOING ─▶ UNDONE
           │          └▶ UNCERTAIN                                      └▶ UNDO_FAILED
           ├▶ UNTOUCHED
           └▶ SKIPPED ◀─ FAILED, UNDONE      DONE ─▶ CHECK_PENDING ─▶ CHECKING ─▶ DONE │ FAILED

    A host that failed where the run goes on is rolled back alone; `stays_drained` keeps it out of its balancer. Tried
    again, it has another row, and this one is RETRIED.

    The kill switch stops it between two steps (RUNNING ─▶ HALTED or, before the first one, UNTOUCHED; UNDOING ─▶
    UNDO_PENDING) or within one (UNCERTAIN). From there it goes on (─▶ PENDING) or back (─▶ UNDO_PENDING); what is
    uncertain is probed first either way.
    """

    scope_path = "wave__run__task__institution"
    is_untouched = False
    """Set by who claims it: no step of it was ever begun, so there is nothing to look up."""

    wave = models.ForeignKey(Wave, models.PROTECT, related_name="host_runs", verbose_name=_("wave"))
    server = models.ForeignKey(Server, models.PROTECT, related_name="host_runs", verbose_name=_("server"))
    status = FSMField(_("status"), max_length=16, choices=HostStatus.choices, default=_H.PENDING, protected=True)
    claim = models.CharField(_("claim"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    saved = models.JSONField(_("saved values"), default=dict, blank=True)
    stays_drained = models.BooleanField(_("left out of the balancer"), default=False)
    error_code = models.CharField(_("error code"), max_length=32, blank=True)
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("host run")
        verbose_name_plural = _("host runs")
        ordering: ClassVar = ["wave", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["wave", "server"], name="host_run_once"),
            models.CheckConstraint(condition=Q(status__in=HostStatus.values), name="host_run_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["RUNNING", "CHECKING", "UNDOING"])
                | (~Q(claim="") & Q(lease_until__isnull=False)),
                name="host_run_held_by_somebody",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["wave", "status"], name="host_run_by_status")]

    def __str__(self) -> str:
        return f"{self.wave} · {self.server}"

    @property
    def phase(self) -> Phase:
        if self.status in (_H.CHECK_PENDING, _H.CHECKING):
            return Phase.CHECK
        return Phase.UNDO if self.status in (_H.UNDO_PENDING, _H.UNDOING, _H.UNDONE, _H.UNDO_FAILED) else Phase.APPLY

    @transition(field=status, source=_H.PENDING, target=_H.RUNNING)
    def take(self) -> None:
        self.started_at = now()

    @transition(field=status, source=_H.RUNNING, target=_H.DONE)
    def finish(self) -> None:
        self._settle()

    @transition(field=status, source=_H.DONE, target=_H.CHECK_PENDING)
    def ask_check(self) -> None: ...

    @transition(field=status, source=_H.CHECK_PENDING, target=_H.CHECKING)
    def take_check(self) -> None: ...

    @transition(field=status, source=[_H.CHECK_PENDING, _H.CHECKING], target=_H.DONE)
    def end_check(self) -> None:
        """It is well still, or nobody looks any more."""
        self._settle()

    @transition(field=status, source=[_H.PENDING, _H.FAILED, _H.UNDONE], target=_H.SKIPPED)
    def skip(self, code: str, message: str) -> None:
        self._settle(code, message)

    @transition(field=status, source=[_H.FAILED, _H.UNDONE], target=_H.RETRIED)
    def retry(self) -> None: ...

    @transition(field=status, source=[_H.RUNNING, _H.CHECKING], target=_H.FAILED)
    def fail(self, code: str, message: str) -> None:
        self._settle(code, message)

    @transition(field=status, source=[_H.RUNNING, _H.UNDOING], target=_H.UNCERTAIN)
    def lose(self, code: str, message: str) -> None:
        self._settle(code, message)

    @transition(field=status, source=[_H.PENDING, _H.RUNNING], target=_H.UNTOUCHED)
    def spare(self) -> None:
        """From RUNNING only when no step had begun."""
        self.claim, self.lease_until = "", None

    @transition(field=status, source=_H.RUNNING, target=_H.HALTED)
    def halt(self, code: str, message: str) -> None:
        self._settle(code, message)

    @transition(field=status, source=_H.UNDOING, target=_H.UNDO_PENDING)
    def halt_undo(self, code: str, message: str) -> None:
        self._settle(code, message)

    @transition(field=status, source=[_H.HALTED, _H.UNCERTAIN, _H.UNTOUCHED, _H.SKIPPED], target=_H.PENDING)
    def go_on(self) -> None:
        """The run is resumed after a halt, or what was left alone has its turn after all."""
        self.error_code, self.error, self.finished_at = "", "", None

    @transition(field=status, source=[_H.DONE, _H.FAILED, _H.HALTED, _H.UNCERTAIN], target=_H.UNDO_PENDING)
    def ask_undo(self) -> None: ...

    @transition(field=status, source=_H.UNDO_PENDING, target=_H.UNDOING)
    def take_undo(self) -> None: ...

    @transition(field=status, source=_H.UNDOING, target=_H.UNDONE)
    def finish_undo(self) -> None:
        self.claim, self.lease_until, self.finished_at = "", None, now()

    @transition(field=status, source=[_H.UNDO_PENDING, _H.UNDOING], target=_H.UNDO_FAILED)
    def fail_undo(self, code: str, message: str) -> None:
        self._settle(code, message)

    def _settle(self, code: str = "", message: str = "") -> None:
        self.claim, self.lease_until, self.finished_at = "", None, now()
        self.error_code, self.error = code, message


class StepResult(models.Model):
    """One attempt at one step on one host; the row is committed before the first command is sent."""

    scope_path = "host_run__wave__run__task__institution"

    host_run = models.ForeignKey(HostRun, models.PROTECT, related_name="steps", verbose_name=_("host run"))
    phase = models.CharField(_("phase"), max_length=8, choices=Phase.choices)
    order = models.PositiveSmallIntegerField(_("order"))
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    name = models.CharField(_("step"), max_length=64)
    status = models.CharField(_("status"), max_length=16, choices=StepStatus.choices, default=StepStatus.STARTED)
    exit_status = models.IntegerField(_("exit status"), null=True, blank=True)
    output = models.TextField(_("output"), blank=True, help_text=_("The first part, masked."))
    output_sha256 = models.CharField(_("output SHA-256"), max_length=64, blank=True)
    error_code = models.CharField(_("error code"), max_length=32, blank=True)
    drift = models.JSONField(_("differences"), default=list, blank=True)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("step result")
        verbose_name_plural = _("step results")
        ordering: ClassVar = ["host_run", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["host_run", "phase", "order", "attempt"], name="step_attempt_once"),
            models.CheckConstraint(condition=Q(status__in=StepStatus.values), name="step_result_status_known"),
        ]

    def __str__(self) -> str:
        return f"{self.host_run} · {self.name}"


class HostLock(models.Model):
    """One run per host at a time. The row is taken when a run is made and removed when it has ended."""

    scope_path = "server__system__institution"

    server = models.OneToOneField(Server, models.PROTECT, related_name="run_lock", verbose_name=_("server"))
    run = models.ForeignKey(Run, models.PROTECT, related_name="locks", verbose_name=_("run"))
    taken_at = models.DateTimeField(_("taken"), auto_now_add=True)

    class Meta:
        verbose_name = _("host lock")
        verbose_name_plural = _("host locks")

    def __str__(self) -> str:
        return f"{self.server} ← {self.run}"
