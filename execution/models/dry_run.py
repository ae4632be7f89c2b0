from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from cmdb.models import Server
from execution.models.plan import Plan


class DryRun(models.Model):
    """A look at all hosts of a plan: what would it change there, as they are now? It is held by a lease while a worker
    asks, and changes nothing anywhere."""

    scope_path = "plan__task__institution"

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="dry_runs", verbose_name=_("plan"))
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("dry run")
        verbose_name_plural = _("dry runs")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan"], condition=Q(finished_at=None), name="dry_run_one_open")
        ]

    def __str__(self) -> str:
        return f"{self.plan} · {self.pk}"


class DryLook(models.Model):
    """What one host said; `findings` are `execution.steps.previews.Finding`, one for each step. `error`: why it
    couldn't be asked."""

    scope_path = "dry_run__plan__task__institution"

    dry_run = models.ForeignKey(DryRun, models.PROTECT, related_name="looks", verbose_name=_("dry run"))
    server = models.ForeignKey(Server, models.PROTECT, related_name="+", verbose_name=_("server"))
    findings = models.JSONField(_("findings"), default=list)
    error = models.TextField(_("error"), blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("look of a dry run")
        verbose_name_plural = _("looks of dry runs")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["dry_run", "server"], name="dry_look_once")]

    def __str__(self) -> str:
        return f"{self.dry_run} · {self.server}"
