"""The chain: what happened, in an order that can't be changed unseen.

Each institution has a chain of its own, so that sites don't wait for each other, and the system has one.
An entry's `hash` covers its canonical body, which repeats every indexed column, its number and the hash before it:
`audit.verifying` recomputes all of it. The database itself refuses updates, deletes and TRUNCATE.
"""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.security import ACTIONS

SYSTEM_CHAIN = "system"


class Chain(models.Model):
    """One chain and its head. The row's lock puts the writers of one chain in order."""

    key = models.CharField(_("key"), max_length=64, unique=True)
    head_number = models.BigIntegerField(_("entries"), default=0)
    head_hash = models.CharField(_("head"), max_length=64)
    # A broken chain that people have accepted is closed as evidence; another goes on for the same scope.
    scope = models.CharField(_("goes on for"), max_length=64, blank=True, default="", db_index=True)
    is_closed = models.BooleanField(_("closed"), default=False)
    # Moves on when a data key is erased: writers read it with the lock, and drop what they remember.
    key_epoch = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("chain")
        verbose_name_plural = _("chains")
        ordering: ClassVar = ["key"]
        triggers: ClassVar = [
            pgtrigger.Protect(name="keep_chain", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="grow_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="IF NEW.key <> OLD.key OR NEW.scope <> OLD.scope OR OLD.is_closed OR NOT ("
                "NEW.head_number > OLD.head_number OR (NEW.is_closed AND NEW.head_number = OLD.head_number"
                " AND NEW.head_hash = OLD.head_hash)) THEN "
                "RAISE EXCEPTION 'a chain only grows'; END IF; RETURN NEW;",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def serves(self) -> str:
        """The scope whose acts it tells: `institution:<code>` or `system`, also when it is not the first of it."""
        return self.scope or self.key


class Entry(models.Model):
    """One act. Written by `audit.record` only, in the transaction of the change it tells of."""

    chain = models.ForeignKey(Chain, models.PROTECT, related_name="entries", verbose_name=_("chain"), db_index=False)
    number = models.BigIntegerField(_("number"))
    recorded_at = models.DateTimeField(_("time"))
    action = models.CharField(_("action"), max_length=64)
    actor = models.CharField(_("actor"), max_length=160)
    task_id = models.CharField(_("task"), max_length=32, blank=True)
    object_type = models.CharField(_("object type"), max_length=64, blank=True)
    object_id = models.CharField(_("object id"), max_length=64, blank=True)
    body = models.TextField(_("body"), help_text=_("Canonical JSON; what the hash covers."))
    prev_hash = models.CharField(_("previous hash"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name = _("chain entry")
        verbose_name_plural = _("chain entries")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chain", "number"], name="entry_number_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["task_id", "id"], name="entry_by_task"),
            models.Index(fields=["actor", "-id"], name="entry_by_actor"),
            models.Index(fields=["action", "-id"], name="entry_by_action"),
            models.Index(fields=["chain", "-id"], name="entry_by_chain"),
            models.Index(fields=["-id"], name="entry_of_security", condition=models.Q(action__in=ACTIONS)),
            # Reports ask for days. Rows lie in the order of their time, so that a few bytes per thousand of them do.
            BrinIndex(fields=["recorded_at"], pages_per_range=32, name="entry_by_time"),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="no_truncate",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'the chain is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id}#{self.number} {self.action}"
