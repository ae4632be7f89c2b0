"""What was sealed: the signed checkpoints as rows, and how far each store outside has them.

The rows are copies to work with. What counts is what lies outside the database: `audit.stores`.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models.chain import Chain


class Checkpoint(models.Model):
    """A signed statement about the heads of all chains at one moment (`audit.seal`). Append-only like the entries."""

    number = models.BigIntegerField(_("number"), unique=True)
    made_at = models.DateTimeField(_("time"))
    key_id = models.CharField(_("key"), max_length=16)
    entries = models.BigIntegerField(_("entries"))
    reason = models.CharField(_("occasion"), max_length=16)
    digest = models.CharField(_("digest"), max_length=64)
    line = models.TextField(_("signed document"), help_text=_("Exactly what the stores outside the database have."))

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        ordering: ClassVar = ["-number"]
        triggers: ClassVar = [
            pgtrigger.Protect(name="keep_checkpoint", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"


class SealedChain(models.Model):
    """How far the last checkpoint reaches in one chain, and the roots from which its tree grows on."""

    chain = models.OneToOneField(Chain, models.PROTECT, related_name="sealed", verbose_name=_("chain"))
    length = models.BigIntegerField(_("entries"))
    head_hash = models.CharField(_("head"), max_length=64)
    frontier = models.TextField(_("subtree roots"))

    class Meta:
        verbose_name = _("sealed chain")
        verbose_name_plural = _("sealed chains")

    def __str__(self) -> str:
        return f"{self.chain_id}:{self.length}"


class Witness(models.Model):
    """One store outside the database, and how far it has the checkpoints. What it hasn't waits in their table."""

    name = models.CharField(_("store"), max_length=160, unique=True)
    delivered = models.BigIntegerField(_("has checkpoints up to"), default=0)
    state = models.CharField(_("state"), max_length=255, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    tried_at = models.DateTimeField(_("tried"), null=True, blank=True)

    class Meta:
        verbose_name = _("checkpoint store")
        verbose_name_plural = _("checkpoint stores")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
