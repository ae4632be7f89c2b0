"""The policies that Guardia comes with (design §3); what people have changed since is left alone."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.services import record
from governance.choices import StepRole
from governance.models import ApprovalPolicy, PolicyStep
from tickets.choices import Risk, SubType

_O, _P, _S = StepRole.OWNER, StepRole.PM, StepRole.SECURITY_OFFICER


@dataclass(frozen=True, slots=True)
class Default:
    """`name` is written in the language of the installation; `roles` are asked in order, then the check is made."""

    name: Promise
    risk: Risk
    roles: tuple[StepRole, ...]
    sub_type: str = ""
    is_checked: bool = False


DEFAULTS: tuple[Default, ...] = (
    Default(_("Look-up and inspection"), Risk.LOW, (_O,)),
    Default(_("Change of medium risk"), Risk.MEDIUM, (_O,)),
    Default(_("Service restart"), Risk.MEDIUM, (_O,), sub_type=SubType.SERVICE_RESTART, is_checked=True),
    Default(_("Deployment and data clean-up"), Risk.HIGH, (_O, _P)),
    Default(_("Infrastructure and security change"), Risk.VERY_HIGH, (_O, _P, _S)),
)


@transaction.atomic
def install_default_policies(*, actor: str) -> int:
    """Add the default policies that aren't there yet; returns how many."""
    added = 0
    for default in DEFAULTS:
        policy, is_new = ApprovalPolicy.objects.get_or_create(
            category="", sub_type=default.sub_type, risk=default.risk, tier=None, defaults={"name": str(default.name)}
        )
        if not is_new:
            continue
        added += 1
        steps = PolicyStep.objects.bulk_create(_steps(policy, default))
        record(
            action="policy.installed",
            actor=actor,
            institution=None,
            subject=policy,
            steps=["AUTOMATIC" if step.is_automatic else str(step.role) for step in steps],
        )
    return added


def _steps(policy: ApprovalPolicy, default: Default) -> list[PolicyStep]:
    """The steps of the people; whoever decides on high risk shows again who they are."""
    is_high = default.risk >= Risk.HIGH
    steps = [
        PolicyStep(policy=policy, order=order, role=role, needs_reauthentication=is_high)
        for order, role in enumerate(default.roles, start=1)
    ]
    if default.is_checked:
        steps.append(PolicyStep(policy=policy, order=len(steps) + 1, role=_S, is_automatic=True))
    return steps
