"""A policy as a document, and back. Shape::

    {name, category, sub_type, risk, tier, steps: [{role, approvers_needed, needs_reauthentication, is_automatic}]}

An empty `category` or `sub_type`, and None for `risk` or `tier`, mean any.
"""

from typing import Any, TypedDict

from django.db.models import Q
from django.utils.translation import gettext as _

from cmdb.choices import Tier
from governance.choices import StepRole
from governance.models import ApprovalPolicy, PolicyStep
from governance.models.policy import MOST_APPROVERS
from governance.rules import may_do_without_people
from guardia.common.errors import InvalidInput
from tickets.choices import Category, Risk, SubType

MOST_STEPS = 6


class StepDocument(TypedDict):
    role: str
    approvers_needed: int
    needs_reauthentication: bool
    is_automatic: bool


class PolicyDocument(TypedDict):
    name: str
    category: str
    sub_type: str
    risk: int | None
    tier: int | None
    steps: list[StepDocument]


def document_of(policy: ApprovalPolicy) -> PolicyDocument:
    return PolicyDocument(
        name=policy.name,
        category=policy.category,
        sub_type=policy.sub_type,
        risk=policy.risk,
        tier=policy.tier,
        steps=[
            StepDocument(
                role=step.role,
                approvers_needed=step.approvers_needed,
                needs_reauthentication=step.needs_reauthentication,
                is_automatic=step.is_automatic,
            )
            for step in policy.steps.order_by("order")
        ],
    )


def check_document(document: PolicyDocument, policy: ApprovalPolicy | None) -> None:
    """Raise InvalidInput, with the reason, for what may not become (this) policy."""
    for problem in (_problem_of_place(document), _problem_of_steps(document), _problem_of_others(document, policy)):
        if problem:
            raise InvalidInput(problem)


def _problem_of_place(document: PolicyDocument) -> str:
    known: list[tuple[Any, Any]] = [
        (document["category"], ["", *Category.values]),
        (document["sub_type"], ["", *SubType.values]),
        (document["risk"], [None, *Risk.values]),
        (document["tier"], [None, *Tier.values]),
    ]
    if not 0 < len(document["name"].strip()) <= 64:
        return _("A policy needs a name of at most 64 characters.")
    if any(value not in values for value, values in known):
        return _("The policy names a kind of work that doesn't exist.")
    return ""


def _problem_of_steps(document: PolicyDocument) -> str:
    steps = document["steps"]
    if not 0 < len(steps) <= MOST_STEPS:
        return _("A policy has between 1 and %(most)s steps.") % {"most": MOST_STEPS}
    for step in steps:
        if step["role"] not in StepRole.values or not 1 <= step["approvers_needed"] <= MOST_APPROVERS:
            return _("A step asks between 1 and %(most)s people of a role.") % {"most": MOST_APPROVERS}
        is_plain = step["role"] == StepRole.SECURITY_OFFICER and step["approvers_needed"] == 1
        if step["is_automatic"] and (not is_plain or step["needs_reauthentication"]):
            return _("An automatic check falls to one security officer, and asks for no password.")
    if all(step["is_automatic"] for step in steps) and not may_do_without_people(document["tier"]):
        return _("Without people a policy can be for test sites (tier 3) only.")
    return ""


def _problem_of_others(document: PolicyDocument, policy: ApprovalPolicy | None) -> str:
    others = ApprovalPolicy.objects.exclude(pk=policy.pk if policy else 0)
    place = {key: document[key] for key in ("category", "sub_type")}
    ranks = [
        Q(**({f"{key}__isnull": True} if document[key] is None else {key: document[key]})) for key in ("risk", "tier")
    ]
    same = others.filter(*ranks, **place).first()
    if same is not None:
        return _("“%(name)s” is already for that work. Change it instead.") % {"name": same.name}
    if others.filter(name=document["name"].strip()).exists():
        return _("Another policy has this name.")
    return ""


def write_policy(document: PolicyDocument, policy: ApprovalPolicy | None) -> ApprovalPolicy:
    """Make the rows what the document says. The caller owns the transaction and the locks."""
    policy = policy or ApprovalPolicy()
    policy.name, policy.category, policy.sub_type = document["name"].strip(), document["category"], document["sub_type"]
    policy.risk, policy.tier = document["risk"], document["tier"]
    policy.save()
    policy.steps.all().delete()
    PolicyStep.objects.bulk_create(
        [PolicyStep(policy=policy, order=order, **step) for order, step in enumerate(document["steps"], start=1)]
    )
    return policy
