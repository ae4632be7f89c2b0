"""A host in a run, what was done on it, and who holds it: the rows are the truth, no process holds it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from cmdb.models import Server
from execution.choices import HostStatus, Phase, StepStatus
from execution.models.run import Run, Wave
from guardia.common.clock import now

_H = HostStatus


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
