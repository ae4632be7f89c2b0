"""The keys of what is personal in entries."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.choices import KeyStatus
from audit.models.chain import Chain


class DataKey(models.Model):
    """The key for what one chain tells of one subject: `user:<id>`, `task:<TASK_ID>`, else a month (`2026-11`).

    LIVING ── somebody of rank, with a reason ──▶ PROPOSED ── a second person ──▶ ERASED
    Erasing it makes those parts unreadable for good, and leaves the chain as it was. What comes after gets another key,
    as it does when the vault's key is another one.
    """

    chain = models.ForeignKey(Chain, models.PROTECT, related_name="data_keys", verbose_name=_("chain"))
    key_id = models.CharField(_("key"), max_length=16, unique=True)
    subject = models.CharField(_("whom it is about"), max_length=64)
    wrapped = models.BinaryField(null=True, editable=False)  # under the vault's key; null: erased
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    status = models.CharField(_("state"), max_length=16, choices=KeyStatus.choices, default=KeyStatus.LIVING)
    reason = models.TextField(_("reason"), blank=True)
    proposed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed by")
    )
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("data key")
        verbose_name_plural = _("data keys")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["subject", "chain"], name="data_key_by_subject")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(status=KeyStatus.ERASED, wrapped=None)
                | (~models.Q(status=KeyStatus.ERASED) & models.Q(wrapped__isnull=False)),
                name="erased_has_no_key",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=KeyStatus.ERASED)
                | (models.Q(proposed_by__isnull=False) & ~models.Q(proposed_by=models.F("decided_by"))),
                name="erased_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key_id} · {self.subject}"
