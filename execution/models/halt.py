from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution, User
from execution.choices import HaltScope
from execution.models.run import Run

_LIVING = Q(lifted_at=None)
_TARGETS = (
    Q(scope=HaltScope.GLOBAL, institution=None, run=None)
    | Q(scope=HaltScope.INSTITUTION, institution__isnull=False, run=None)
    | Q(scope=HaltScope.RUN, institution__isnull=False, run__isnull=False)
)


class Halt(models.Model):
    """One press of the kill switch. It holds until somebody lifts it; the row stays.

    `halted_as` and `lifted_as` name who it was in words: from a console there is no user. `recorded_at` is empty while
    the chain has no entry of it yet: a press doesn't wait for a lock that a stuck process holds.
    """

    scope_path = "institution"

    scope = models.CharField(_("scope"), max_length=16, choices=HaltScope.choices)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="halts", verbose_name=_("institution")
    )
    run = models.ForeignKey(Run, models.PROTECT, null=True, blank=True, related_name="halts", verbose_name=_("run"))
    reason = models.TextField(_("reason"), max_length=2000)
    rolls_back = models.BooleanField(_("roll back what was begun"), default=False)
    halted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("halted by")
    )
    halted_as = models.CharField(_("halted by"), max_length=160)
    halted_at = models.DateTimeField(_("halted"), db_default=Now())
    recorded_at = models.DateTimeField(_("recorded"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    lifted_as = models.CharField(_("lifted by"), max_length=160, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lift_reason = models.TextField(_("reason for lifting"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("halt")
        verbose_name_plural = _("halts")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=_TARGETS, name="halt_scope_names_its_target"),
            models.UniqueConstraint(
                fields=["scope"], condition=_LIVING & Q(scope=HaltScope.GLOBAL), name="halt_one_living_of_all"
            ),
            models.UniqueConstraint(
                fields=["institution"],
                condition=_LIVING & Q(scope=HaltScope.INSTITUTION),
                name="halt_one_living_of_institution",
            ),
            models.UniqueConstraint(
                fields=["run"], condition=_LIVING & Q(scope=HaltScope.RUN), name="halt_one_living_of_run"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_as="") | (Q(lifted_at__isnull=False) & ~Q(lifted_as="")),
                name="halt_lifted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} · {self.target}"

    @property
    def target(self) -> str:
        """What is halted, in words."""
        if self.run_id is not None:
            return str(self.run.task)  # type: ignore[union-attr]  # run_id says that there is one
        return str(self.institution) if self.institution_id is not None else str(_("all institutions"))
