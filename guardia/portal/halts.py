"""The kill switch's page: what is pressed now, the form to press it, and the acts on what it has stopped."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import caller
from accounts.identity import remembered_proof
from accounts.models import User
from accounts.services.second_factor import is_enrolled
from execution.choices import HaltScope
from execution.halts.lift import lift_halt
from execution.halts.press import halt
from execution.halts.who import halts_visible_to, institutions_to_halt, may_halt
from execution.models import Halt, Run
from execution.rollout.after_halt import close_halted, resume_halted, roll_back_halted
from execution.selectors import runs_visible_to
from guardia.common.errors import GuardiaError
from guardia.portal.acts import act_on_task, proof_given, refused
from guardia.portal.forms import ReasonForm
from guardia.portal.views import task_or_404

_LISTED = 50


class HaltForm(forms.Form):
    target = forms.CharField(max_length=80)
    reason = forms.CharField(max_length=2000, required=False)
    rolls_back = forms.ChoiceField(choices=[("no", ""), ("yes", "")], required=False)


class LiftForm(ReasonForm):
    password = forms.CharField(max_length=1000, strip=False, required=False)
    otp = forms.CharField(max_length=32, required=False)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def kill_switch(request: HttpRequest) -> HttpResponse:
    """Look (GET); press (POST). `task` preselects a task's run."""
    if request.method != "POST":
        return render(request, "portal/halt.html", _context(request, ""))
    form = HaltForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/halt.html", _context(request, _("Say what is to be halted.")), status=400)
    kind, _colon, name = form.cleaned_data["target"].partition(":")
    try:
        pressed = halt(
            actor=caller(request),
            scope=_scope(kind),
            institution=name if kind == HaltScope.INSTITUTION else "",
            task_id=name if kind == HaltScope.RUN else "",
            reason=form.cleaned_data["reason"],
            rolls_back=form.cleaned_data["rolls_back"] == "yes",
        )
    except GuardiaError as error:
        return render(request, "portal/halt.html", _context(request, str(error)), status=error.http_status)
    messages.success(request, _("Halted. Nothing new begins; what runs is closed within ten seconds."))
    return redirect("portal:task", name) if pressed.run_id is not None else redirect("portal:halt")


@sensitive_post_parameters("password", "otp")
@login_required
@require_POST
def lift_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift what was pressed."""
    if not halts_visible_to(request.user).filter(pk=pk).exists():  # type: ignore[arg-type]  # the base user of stubs
        raise Http404
    form = LiftForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/halt.html", _context(request, _("The form was not complete.")), status=400)
    data = form.cleaned_data
    try:
        proof = proof_given(request, data["password"], data["otp"])
        lift_halt(actor=caller(request), pk=pk, reason=data["reason"], proof=proof)
    except GuardiaError as error:
        return render(request, "portal/halt.html", _context(request, str(error)), status=error.http_status)
    messages.success(request, _("Lifted. What waited starts by itself; halted runs wait for their project manager."))
    return redirect("portal:halt")


@login_required
@require_POST
def resume_halted_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Let a halted run go on."""
    return _after(request, task_id, _("The run goes on."), resume_halted)


@login_required
@require_POST
def roll_back_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Take a halted run back."""
    return _after(request, task_id, _("The servers are rolled back."), roll_back_halted)


@login_required
@require_POST
def close_halted_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Close a halted task as failed."""
    return _after(request, task_id, _("The task is closed without being done."), close_halted)


def _after(request: HttpRequest, task_id: str, done: str, service: Callable[..., Any]) -> HttpResponse:
    task_or_404(request, task_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return refused(request, task_id, _("The form was not complete."), 400)
    reason = form.cleaned_data["reason"]
    return act_on_task(request, task_id, done, lambda: service(actor=caller(request), task_id=task_id, reason=reason))


def _scope(kind: str) -> HaltScope:
    if kind not in HaltScope.values:
        raise GuardiaError(_("Say what is to be halted."), code="invalid")
    return HaltScope(kind)


def _context(request: HttpRequest, error: str) -> dict[str, Any]:
    user = caller(request)
    rows = list(halts_visible_to(user).select_related("institution", "run__task")[:_LISTED])
    institutions = list(institutions_to_halt(user)[:200])
    asks_proof = remembered_proof(request) is None
    return {
        "place": "halt",
        "error": error,
        "living": [(row, _may_lift(user, row, institutions)) for row in rows if row.lifted_at is None],
        "lifted": [row for row in rows if row.lifted_at is not None],
        "institutions": institutions,
        "runs": _runs(user, {institution.pk for institution in institutions}),
        "may_halt_all": may_halt(user, None),
        "chosen": request.POST.get("target") or f"{HaltScope.RUN}:{request.GET.get('task', '')[:32]}",
        "reason": request.POST.get("reason", "")[:2000] if error else "",
        "asks_proof": asks_proof,
        "is_enrolled": asks_proof and is_enrolled(user),
    }


def _may_lift(user: User, row: Halt, institutions: list[Any]) -> bool:
    if row.institution_id is None:
        return may_halt(user, None)
    return row.institution in institutions


def _runs(user: User, institutions: set[int]) -> list[Run]:
    """Runs that are under way where the user may halt them."""
    living = runs_visible_to(user).filter(finished_at=None, status__in=["RUNNING", "ROLLING_BACK"])
    return list(living.filter(task__institution__in=institutions)[:_LISTED])
