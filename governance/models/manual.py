"""Work that people do by hand because the engine couldn't, and its evidence. Rows are only ever added."""

from pathlib import Path
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from cmdb.models import Server
from tickets.choices import TaskStatus
from tickets.models import OpsTask
from tickets.models.artefact import stored_path

_ADDED_ONLY = pgtrigger.Update | pgtrigger.Delete


class Takeover(models.Model):
    """Somebody took a task into their own hands. The newest one says who has it now."""

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="takeovers", verbose_name=_("task"))
    person = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("taken over by"))
    reason = models.TextField(_("reason"))
    came_from = models.CharField(_("state before"), max_length=3, choices=TaskStatus.choices)
    taken_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("takeover")
        verbose_name_plural = _("takeovers")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(reason=""), name="takeover_says_why")]
        triggers: ClassVar = [pgtrigger.Protect(name="keep_takeover", operation=_ADDED_ONLY)]

    def __str__(self) -> str:
        return f"{self.task} · {self.person}"


class ManualRecord(models.Model):
    """What was done outside Guardia, when and on which servers, in the words of the one who did it."""

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="manual_records", verbose_name=_("task"))
    author = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("done by"))
    done_at = models.DateTimeField(_("done at"))
    text = models.TextField(_("what was done"))
    command_log = models.TextField(_("command log"), blank=True)
    servers = models.ManyToManyField(Server, related_name="+", blank=True, verbose_name=_("servers"))
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("record of manual work")
        verbose_name_plural = _("records of manual work")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(text=""), name="manual_record_says_what")]
        triggers: ClassVar = [pgtrigger.Protect(name="keep_manual_record", operation=_ADDED_ONLY)]

    def __str__(self) -> str:
        return f"{self.task} · {self.author}"


class Evidence(models.Model):
    """A file that shows what was done by hand. It is no artefact of the task: no plan ever deploys it."""

    scope_path = "record__task__institution"

    record = models.ForeignKey(
        ManualRecord, models.PROTECT, related_name="evidence", verbose_name=_("record of manual work")
    )
    name = models.CharField(_("name"), max_length=255, help_text=_("As given; shown, never used as a path."))
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta:
        verbose_name = _("piece of evidence")
        verbose_name_plural = _("evidence")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="evidence_sha256_form"),
        ]
        triggers: ClassVar = [pgtrigger.Protect(name="keep_evidence", operation=_ADDED_ONLY)]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return stored_path(self.sha256)
