from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cmdb.choices import Tier
from governance.choices import StepRole
from tickets.choices import Category, Risk, SubType

#: People that one policy step may ask for.
MOST_APPROVERS = 5


class ApprovalPolicy(models.Model):
    """Which steps work of a kind needs. An empty column means any; the policy that says most wins."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    category = models.CharField(_("category"), max_length=16, choices=Category.choices, blank=True)
    sub_type = models.CharField(_("sub-type"), max_length=24, choices=SubType.choices, blank=True)
    risk = models.PositiveSmallIntegerField(_("risk"), choices=Risk.choices, null=True, blank=True)
    tier = models.PositiveSmallIntegerField(_("tier"), choices=Tier.choices, null=True, blank=True)

    class Meta:
        verbose_name = _("approval policy")
        verbose_name_plural = _("approval policies")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["category", "sub_type", "risk", "tier"], nulls_distinct=False, name="policy_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyStep(models.Model):
    """One step of a policy, in order.

    `approvers_needed` people of the role decide, each in a step of their own, one after the other: so every rule of a
    step holds for each of them. An automatic step is Guardia's own security check; where it finds something, a
    security officer decides instead.
    """

    policy = models.ForeignKey(ApprovalPolicy, models.CASCADE, related_name="steps", verbose_name=_("policy"))
    order = models.PositiveSmallIntegerField(_("order"))
    role = models.CharField(_("role"), max_length=24, choices=StepRole.choices)
    approvers_needed = models.PositiveSmallIntegerField(_("people needed"), default=1)
    needs_reauthentication = models.BooleanField(_("asks for the password again"), default=False)
    is_automatic = models.BooleanField(_("automatic security check"), default=False)

    class Meta:
        verbose_name = _("policy step")
        verbose_name_plural = _("policy steps")
        ordering: ClassVar = ["policy", "order"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "order"], name="policy_step_once"),
            models.CheckConstraint(
                condition=Q(approvers_needed__gte=1, approvers_needed__lte=MOST_APPROVERS), name="policy_step_people"
            ),
            models.CheckConstraint(
                condition=Q(is_automatic=False)
                | Q(role=StepRole.SECURITY_OFFICER, approvers_needed=1, needs_reauthentication=False),
                name="policy_step_automatic",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order}. {self.get_role_display()}"
