import json
from functools import cached_property
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.choices import SubType
from tickets.models import OpsTask


class Playbook(models.Model):
    """A published version of a playbook. The database refuses to change it: a new version is a new row."""

    name = models.CharField(_("name"), max_length=64)
    version = models.PositiveIntegerField(_("version"))
    sub_type = models.CharField(_("sub-type"), max_length=24, choices=SubType.choices)
    source = models.TextField("YAML")
    digest = models.CharField(_("digest"), max_length=64)
    published_at = models.DateTimeField(_("published"), auto_now_add=True)

    class Meta:
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")
        ordering: ClassVar = ["name", "-version"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["name", "version"], name="playbook_version_once")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Plan(models.Model):
    """Everything that will happen, frozen: canonical JSON and its SHA-256 (design §3)."""

    scope_path = "task__institution"

    task = models.ForeignKey(OpsTask, models.PROTECT, related_name="plans", verbose_name=_("task"))
    playbook = models.ForeignKey(Playbook, models.PROTECT, related_name="plans", verbose_name=_("playbook"))
    digest = models.CharField(_("digest"), max_length=64)
    document = models.TextField(_("document"))
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["task", "digest"], name="plan_once")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.task} · {self.digest[:12]}"

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document as values; its shape is told in `execution.plan.build`."""
        return json.loads(self.document)  # type: ignore[no-any-return]  # JSON, as the schema says
