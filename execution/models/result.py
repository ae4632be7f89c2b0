from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from execution.models.run import Run


class ResultPackage(models.Model):
    """What a run left behind, for the PM: what changed, the execution log, and the health of every host."""

    scope_path = "run__task__institution"

    run = models.OneToOneField(Run, models.PROTECT, related_name="result", verbose_name=_("run"))
    document = models.JSONField(_("document"))
    digest = models.CharField(_("digest"), max_length=64)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("result package")
        verbose_name_plural = _("result packages")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return str(self.run)
