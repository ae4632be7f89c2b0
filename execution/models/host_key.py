from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from accounts.models import User
from cmdb.models import Server
from execution.choices import ScanStatus
from guardia.common.clock import now

_S = ScanStatus


class HostKeyScan(models.Model):
    """What a server showed as its host key when it was asked, and what a person said to that. There is no auto-add.

    ::

        WAITING ─▶ SHOWN ─▶ ACCEPTED │ REFUSED
           └▶ FAILED
    """

    scope_path = "server__system__institution"

    server = models.ForeignKey(Server, models.PROTECT, related_name="key_scans", verbose_name=_("server"))
    status = FSMField(_("status"), max_length=16, choices=ScanStatus.choices, default=_S.WAITING, protected=True)
    pinned = models.JSONField(_("pinned before"), default=list)
    offered = models.CharField(_("offered key"), max_length=1024, blank=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, blank=True)
    error = models.TextField(_("error"), blank=True)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    comparison = models.TextField(_("how it was compared"), blank=True)

    class Meta:
        verbose_name = _("host key scan")
        verbose_name_plural = _("host key scans")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=ScanStatus.values), name="key_scan_status_known"),
            models.UniqueConstraint(
                fields=["server"], condition=Q(status__in=["WAITING", "SHOWN"]), name="key_scan_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server} · {self.fingerprint or self.get_status_display()}"

    @transition(field=status, source=_S.WAITING, target=_S.SHOWN)
    def show(self, offered: str, fingerprint: str) -> None:
        self.offered, self.fingerprint = offered, fingerprint

    @transition(field=status, source=_S.WAITING, target=_S.FAILED)
    def fail(self, error: str) -> None:
        self.error = error

    @transition(field=status, source=_S.SHOWN, target=_S.ACCEPTED)
    def accept(self, by: User, comparison: str) -> None:
        self._decide(by, comparison)

    @transition(field=status, source=[_S.WAITING, _S.SHOWN], target=_S.REFUSED)
    def refuse(self, by: User, comparison: str) -> None:
        self._decide(by, comparison)

    def _decide(self, by: User, comparison: str) -> None:
        self.decided_by, self.decided_at, self.comparison = by, now(), comparison
