"""Words of policies and checks for templates."""

from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from cmdb.choices import Tier
from governance.choices import StepRole
from governance.models import ApprovalPolicy, PolicyStep
from governance.policy_documents import PolicyDocument, StepDocument
from governance.services.security_check import told_of
from tickets.choices import Category, Risk, SubType

register = template.Library()


@register.filter
def look_label(check: str) -> str | Promise:
    """What the automatic check looked at, as a sentence."""
    return told_of(check)


@register.filter
def policy_place(policy: ApprovalPolicy) -> list[str]:
    """Which work the policy is for, as words; one that says nothing is for any."""
    return _place(policy.category, policy.sub_type, policy.risk, policy.tier)


@register.filter
def policy_step(step: PolicyStep) -> str:
    """A step in words: who, how many, and what else."""
    return _step(step.role, step.approvers_needed, step.needs_reauthentication, step.is_automatic)


@register.filter
def policy_lines(document: PolicyDocument | None) -> list[str]:
    """A policy's document as lines, for before and after."""
    if document is None:
        return []
    place = _place(document["category"], document["sub_type"], document["risk"], document["tier"])
    steps = [f"{order}. {_step(**_step_values(step))}" for order, step in enumerate(document["steps"], start=1)]
    return [document["name"], ", ".join(place), *steps]


def _step_values(step: StepDocument) -> dict[str, Any]:
    return {
        "role": step["role"],
        "people": step["approvers_needed"],
        "is_again": step["needs_reauthentication"],
        "is_automatic": step["is_automatic"],
    }


def _place(category: str, sub_type: str, risk: int | None, tier: int | None) -> list[str]:
    words: list[str | Promise] = []
    if category:
        words.append(Category(category).label)
    if sub_type:
        words.append(SubType(sub_type).label)
    if risk is not None:
        words.append(_("Risk: %(risk)s") % {"risk": Risk(risk).label})
    if tier is not None:
        words.append(Tier(tier).label)
    return [str(word) for word in words] or [_("Any work")]


def _step(role: str, people: int, is_again: bool, is_automatic: bool) -> str:
    if is_automatic:
        return _("Automatic security check")
    words = str(StepRole(role).label)
    if people > 1:
        words = _("%(role)s × %(people)s") % {"role": words, "people": people}
    return _("%(step)s (password again)") % {"step": words} if is_again else words
