"""The policies that Guardia comes with (design §3); what an administrator has changed is left alone."""

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.services import record
from governance.choices import StepRole
from governance.models import ApprovalPolicy, PolicyStep
from tickets.choices import Risk, SubType

_O, _P, _S = StepRole.OWNER, StepRole.PM, StepRole.SECURITY_OFFICER
#: name (written in the language of the installation), risk, sub-type, who is asked
DEFAULTS: tuple[tuple[Promise, Risk, str, tuple[StepRole, ...]], ...] = (
    (_("Look-up and inspection"), Risk.LOW, "", (_O,)),
    (_("Change of medium risk"), Risk.MEDIUM, "", (_O,)),
    (_("Service restart"), Risk.MEDIUM, SubType.SERVICE_RESTART, (_O,)),
    (_("Deployment and data clean-up"), Risk.HIGH, "", (_O, _P)),
    (_("Infrastructure and security change"), Risk.VERY_HIGH, "", (_O, _P, _S)),
)


@transaction.atomic
def install_default_policies(*, actor: str) -> int:
    """Add the default policies that aren't there yet; returns how many."""
    added = 0
    for name, risk, sub_type, roles in DEFAULTS:
        policy, is_new = ApprovalPolicy.objects.get_or_create(
            category="", sub_type=sub_type, risk=risk, tier=None, defaults={"name": str(name)}
        )
        if not is_new:
            continue
        added += 1
        PolicyStep.objects.bulk_create(
            [PolicyStep(policy=policy, order=order, role=role) for order, role in enumerate(roles, start=1)]
        )
        record(action="policy.installed", actor=actor, institution=None, subject=policy, steps=list(roles))
    return added
