"""The inbox: what waits for my decision, like tasks together, so that they can be approved in one go."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import caller
from accounts.identity import IdentityProof, remembered_proof
from accounts.models import User
from accounts.scope import visible_to
from accounts.services.second_factor import is_enrolled
from execution.models import Plan
from governance.choices import Decision
from governance.models import ApprovalStep
from governance.selectors import needs_proof, steps_awaiting
from governance.services.decide_step import decide_step
from guardia.common.errors import GuardiaError
from guardia.common.paging import CappedPaginator
from guardia.portal.acts import proof_given
from guardia.portal.forms import WordsForm
from tickets.choices import Channel

#: Steps of one page, which is also the most that are approved in one go.
SHOWN = 50
_CHOSEN = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
#: Playbook, system, role: steps that have all three in common are alike.
Likeness = tuple[str, int | None, str]


@dataclass(slots=True)
class Group:
    """Like steps; the first tells what they have in common."""

    playbook: str
    steps: list[ApprovalStep] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step of a bulk approval; `refusal` is empty where it was approved."""

    step: ApprovalStep
    refusal: str


@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The steps that wait for me, oldest first, those of a page grouped by likeness."""
    waiting = steps_awaiting(request.user).select_related("round__task__system", "original_owner")
    page = CappedPaginator(waiting, SHOWN).get_page(request.GET.get("page"))
    steps = list(page.object_list)
    groups: dict[Likeness, Group] = {}
    for step, likeness in _likenesses(steps):
        groups.setdefault(likeness, Group(likeness[0])).steps.append(step)
    is_high = any(needs_proof(step.round.task) or step.needs_reauthentication for step in steps)
    asks_proof = is_high and remembered_proof(request) is None
    context = {
        "place": "inbox",
        "groups": list(groups.values()),
        "page": page,
        "asks_proof": asks_proof,
        "is_enrolled": asks_proof and is_enrolled(caller(request)),
    }
    return render(request, "portal/inbox.html", context)


@login_required
@require_POST
def approve_many(request: HttpRequest) -> HttpResponse:
    """Approve the chosen like steps, each for the digest that was shown, each by itself; says what became of each."""
    user, form = caller(request), WordsForm(request.POST)
    chosen = [match for text in request.POST.getlist("step")[:SHOWN] if (match := _CHOSEN.fullmatch(text))]
    if not chosen or not form.is_valid():
        return _refused(request, _("Choose at least one task."))
    digests = {int(match[1]): match[2] for match in chosen}
    steps = list(
        visible_to(ApprovalStep.objects.select_related("round__task__system"), user)
        .filter(pk__in=digests)
        .order_by("pk")
    )
    if not steps:
        raise Http404
    if len({likeness for _step, likeness in _likenesses(steps)}) > 1:
        return _refused(request, _("Only like tasks can be approved together: same playbook, system and role."))
    words = form.cleaned_data["words"]
    try:
        proof = proof_given(request, request.POST.get("password", ""), request.POST.get("otp", ""))
    except GuardiaError as error:
        return _refused(request, str(error))
    outcomes = [_approve(user, step, digests[step.pk], words, proof) for step in steps]
    return render(request, "portal/inbox_result.html", {"place": "inbox", "outcomes": outcomes})


def _approve(user: User, step: ApprovalStep, digest: str, comment: str, proof: IdentityProof | None) -> Outcome:
    try:
        decide_step(
            actor=user,
            step_pk=step.pk,
            decision=Decision.APPROVE,
            digest=digest,
            channel=Channel.PORTAL,
            comment=comment,
            proof=proof,
        )
    except GuardiaError as error:
        return Outcome(step, str(error))
    return Outcome(step, "")


def _likenesses(steps: Iterable[ApprovalStep]) -> list[tuple[ApprovalStep, Likeness]]:
    steps = list(steps)
    plans = Plan.objects.filter(task__in=[step.round.task_id for step in steps]).select_related("playbook")
    playbooks = {(plan.task_id, plan.digest): str(plan.playbook) for plan in plans.defer("document")}
    return [
        (
            step,
            (
                playbooks.get((step.round.task_id, step.round.plan_digest), ""),
                step.round.task.system_id,
                step.role,
            ),
        )
        for step in steps
    ]


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "portal/refused.html", {"reason": reason, "back": "/inbox/"}, status=400)
