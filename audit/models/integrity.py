"""What verification found, and what it stops."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.choices import STOPPING, FaultKind, HoldStatus, Mode


class Verification(models.Model):
    """One finished verification: what it looked at and what it found."""

    mode = models.CharField(_("extent"), max_length=16, choices=Mode.choices)
    actor = models.CharField(_("asked for by"), max_length=160)
    started_at = models.DateTimeField(_("begun"))
    finished_at = models.DateTimeField(_("finished"))
    entries = models.BigIntegerField(_("entries verified"))
    checkpoints = models.BigIntegerField(_("checkpoints verified"))
    is_intact = models.BooleanField(_("intact"))
    faults = models.JSONField(_("what is wrong"), default=list)
    #: chain key → [number, hash]: from where the next incremental one goes on.
    reached = models.JSONField(_("verified up to"), default=dict)

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"


class IntegrityHold(models.Model):
    """The mark on a broken range, and the stop of executions in its scope.

    ACTIVE ── a security officer, with a reason ──▶ PROPOSED ── a second person ──▶ ACCEPTED
       └────────────── verified whole again ───────────┴────────────────▶ RESTORED
    """

    scope = models.CharField(_("scope"), max_length=64, blank=True)  # institution:<code>; empty: everybody
    chain = models.CharField(_("chain"), max_length=64)
    number = models.BigIntegerField(_("first bad entry"))
    until = models.BigIntegerField(_("last entry in doubt"))
    kind = models.CharField(_("what is wrong"), max_length=24, choices=FaultKind.choices)
    detail = models.CharField(_("detail"), max_length=500)
    found_at = models.DateTimeField(_("found"), auto_now_add=True)
    status = models.CharField(_("state"), max_length=16, choices=HoldStatus.choices, default=HoldStatus.ACTIVE)
    reason = models.TextField(_("reason"), blank=True)
    proposed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed by")
    )
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("broken range")
        verbose_name_plural = _("broken ranges")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["chain"], condition=models.Q(status__in=STOPPING), name="one_stopping_hold_per_chain"
            ),
            models.CheckConstraint(
                condition=~models.Q(status=HoldStatus.ACCEPTED)
                | (models.Q(proposed_by__isnull=False) & ~models.Q(proposed_by=models.F("decided_by"))),
                name="accepted_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain}#{self.number}"
