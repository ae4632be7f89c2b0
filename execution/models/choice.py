from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.models import System
from execution.models.plan import Playbook
from tickets.choices import SubType


class PlaybookChoice(models.Model):
    """The version of a playbook that serves a kind of work on one system; without a row it is the newest published."""

    scope_path = "system__institution"

    system = models.ForeignKey(System, models.PROTECT, related_name="playbook_choices", verbose_name=_("system"))
    sub_type = models.CharField(_("sub-type"), max_length=24, choices=SubType.choices)
    playbook = models.ForeignKey(Playbook, models.PROTECT, related_name="choices", verbose_name=_("playbook"))
    former = models.ForeignKey(
        Playbook,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("before"),
        help_text=_("Empty: the newest."),
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("chosen playbook")
        verbose_name_plural = _("chosen playbooks")
        ordering: ClassVar = ["system", "sub_type"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["system", "sub_type"], name="playbook_choice_once")]

    def __str__(self) -> str:
        return f"{self.system}: {self.playbook}"
