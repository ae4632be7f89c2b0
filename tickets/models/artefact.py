from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ops_task import OpsTask


class Artefact(models.Model):
    """A file that came with a task. The bytes are kept once, under their SHA-256, and never under the given name."""

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="artefacts", verbose_name=_("task"))
    name = models.CharField(_("name"), max_length=255, help_text=_("As given; shown, never used as a path."))
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField("SHA-256", max_length=64)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("artefact")
        verbose_name_plural = _("artefacts")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="artefact_sha256_form"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return stored_path(self.sha256)


def stored_path(sha256: str) -> Path:
    """Where the bytes with this digest are kept."""
    return Path(settings.GUARDIA_ARTEFACTS) / sha256[:2] / sha256
