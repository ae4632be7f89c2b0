from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from execution.choices import Phase
from execution.models.host_run import HostRun


class CoreLog(models.Model):
    """The last part of a log of a host that failed, masked; or why it couldn't be had. Never changed."""

    scope_path = "host_run__wave__run__task__institution"

    host_run = models.ForeignKey(HostRun, models.PROTECT, related_name="core_logs", verbose_name=_("host run"))
    phase = models.CharField(_("phase"), max_length=8, choices=Phase.choices)
    path = models.CharField(_("path"), max_length=1024)
    text = models.TextField(_("text"), blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, help_text=_("Of the text as it is kept, in UTF-8."))
    error = models.CharField(_("error"), max_length=500, blank=True)
    taken_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("core log")
        verbose_name_plural = _("core logs")
        ordering: ClassVar = ["pk"]
        triggers: ClassVar = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.host_run} · {self.path}"
