from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from execution.models.host_run import StepResult


class ResultTable(models.Model):
    """The rows of one query, bounded, and masked unless the approved plan says otherwise. Never changed."""

    scope_path = "step__host_run__wave__run__task__institution"

    step = models.OneToOneField(StepResult, models.PROTECT, related_name="table", verbose_name=_("step result"))
    columns = models.JSONField(_("columns"))
    rows = models.JSONField(_("rows"))
    is_complete = models.BooleanField(_("complete"), help_text=_("There were no more rows than these."))
    is_masked = models.BooleanField(_("personal data masked"))
    digest = models.CharField(_("digest"), max_length=64)

    class Meta:
        verbose_name = _("result table")
        verbose_name_plural = _("result tables")
        ordering: ClassVar = ["pk"]
        triggers: ClassVar = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.step)
