"""Work that goes through a gateway. The first two tables are the core's, the others are in a gateway's own database."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cmdb.choices import WhenAway
from cmdb.models import Gateway
from execution.choices import Phase
from execution.models.host_run import HostRun
from execution.models.run import Run


class GatewayOrder(models.Model):
    """One host of a run, given to a gateway to be applied or undone; it holds the host until it has told how it ended.

    The gateway keeps the same row under the same key (without `gateway`); `told` is what it has spooled of its steps.
    """

    scope_path = "host_run__wave__run__task__institution"

    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, related_name="orders", verbose_name=_("gateway"))
    host_run = models.ForeignKey(HostRun, models.PROTECT, related_name="orders", verbose_name=_("host run"))
    phase = models.CharField(_("phase"), max_length=8, choices=Phase.choices)
    told = models.JSONField(default=dict, editable=False)
    given_at = models.DateTimeField(_("given"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("gateway order")
        verbose_name_plural = _("gateway orders")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["host_run"], condition=Q(settled_at=None), name="gateway_order_one_open")
        ]

    def __str__(self) -> str:
        return f"{self.host_run} · {self.pk}"

    @property
    def claim(self) -> str:
        """What stands in the core's row of the host as its claim."""
        return f"gateway-order:{self.pk}"


class GatewayNonce(models.Model):
    """A number that a gateway has used once. Kept as long as a message of its time would be believed."""

    gateway = models.ForeignKey(Gateway, models.CASCADE, related_name="nonces")
    nonce = models.CharField(max_length=32)
    used_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("gateway nonce")
        verbose_name_plural = _("gateway nonces")
        constraints: ClassVar = [models.UniqueConstraint(fields=["gateway", "nonce"], name="gateway_nonce_once")]
        indexes: ClassVar = [models.Index(fields=["gateway", "used_at"], name="gateway_nonce_by_time")]

    def __str__(self) -> str:
        return self.nonce


class CoreLink(models.Model):
    """In a gateway's home, one row: what the core last said, and how far the spool has come."""

    seen_at = models.DateTimeField(null=True)
    sites = models.JSONField(default=list)
    when_away = models.CharField(max_length=8, choices=WhenAway.choices, default=WhenAway.FINISH)
    away_seconds = models.PositiveIntegerField(default=120)
    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    entry_number = models.BigIntegerField(default=0)
    halt_pk = models.BigIntegerField(default=0)
    refused = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("link to the core")
        verbose_name_plural = _("link to the core")
        constraints: ClassVar = [models.CheckConstraint(condition=Q(pk=1), name="core_link_is_one")]

    def __str__(self) -> str:
        return str(self.seen_at)


class RunPart(models.Model):
    """In a gateway's home: the core's signature of its part of a plan, and how far the run's events are spooled."""

    scope_path = "run__task__institution"

    run = models.OneToOneField(Run, models.PROTECT, related_name="part", verbose_name=_("run"))
    signature = models.TextField(_("signature"))
    event_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("part of a plan")
        verbose_name_plural = _("parts of plans")

    def __str__(self) -> str:
        return str(self.run)


class Parcel(models.Model):
    """In a gateway's home: what waits to be handed over, in order. Each holds the digest of the one before."""

    number = models.BigIntegerField(primary_key=True)
    digest = models.CharField(max_length=64)
    body = models.TextField()
    sealed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return str(self.number)
