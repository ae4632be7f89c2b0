from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.models import Server
from execution.models.run import Run
from tickets.models import OpsTask


class Healing(models.Model):
    """A server that failed a health check, and the task that is to heal it; without one, why there is none."""

    scope_path = "check_run__task__institution"

    check_run = models.ForeignKey(Run, models.PROTECT, related_name="healings", verbose_name=_("health check"))
    server = models.ForeignKey(Server, models.PROTECT, related_name="healings", verbose_name=_("server"))
    task = models.ForeignKey(
        OpsTask, models.PROTECT, null=True, blank=True, related_name="healings", verbose_name=_("task")
    )
    snapshot = models.CharField(_("snapshot SHA-256"), max_length=64, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("healing")
        verbose_name_plural = _("healings")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["check_run", "server"], name="healing_once")]

    def __str__(self) -> str:
        return f"{self.server} ← {self.check_run}"
