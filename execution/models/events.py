from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from execution.models.host_run import HostRun
from execution.models.run import Run


class EventHead(models.Model):
    """The number of a run's last event. Its row lock, held until commit, makes numbers appear in order."""

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="event_head")
    number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("event head")
        verbose_name_plural = _("event heads")

    def __str__(self) -> str:
        return f"{self.run} · {self.number}"


class RunEvent(models.Model):
    """Something that happened in a run: stored first, pushed second. A page asks for what came after its last one."""

    scope_path = "run__task__institution"

    run = models.ForeignKey(Run, models.PROTECT, related_name="events", verbose_name=_("run"))
    number = models.BigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=32)
    host_run = models.ForeignKey(HostRun, models.PROTECT, null=True, related_name="events", verbose_name=_("host run"))
    data = models.JSONField(_("data"), default=dict)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("run event")
        verbose_name_plural = _("run events")
        ordering: ClassVar = ["run", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "number"], name="event_number_once")]

    def __str__(self) -> str:
        return f"{self.run_id}#{self.number} {self.kind}"
