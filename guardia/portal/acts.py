"""The acts on a task's page, the same from the portal and from the admin: POST, one service, a message, back."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.caller import caller
from accounts.identity import IdentityProof, confirm_identity, remember_proof, remembered_proof
from governance.choices import Decision, ReviewDecision
from governance.services.decide_step import decide_step
from governance.services.release_task import release_task
from governance.services.validate_result import validate_result
from guardia.common.errors import GuardiaError, NotVisible
from guardia.portal.forms import DecisionForm, InformationForm, ValidationForm
from guardia.portal.views import task_or_404
from tickets.choices import Channel
from tickets.services.add_information import add_information


@sensitive_post_parameters("password", "otp")
@login_required
@require_POST
def decide_act(request: HttpRequest, task_id: str, step_pk: int) -> HttpResponse:
    """Approve or reject a step, for the plan whose digest the page showed."""
    task_or_404(request, task_id)
    form = DecisionForm(request.POST)
    if not form.is_valid() or form.cleaned_data["decision"] not in Decision.values:
        return refused(request, task_id, _("The form was not complete."), 400)
    channel = Channel.ADMIN if _came_from_admin(request) else Channel.PORTAL
    return act_on_task(
        request,
        task_id,
        _("Your decision was recorded."),
        lambda: decide_step(
            proof=proof_given(request, form.cleaned_data["password"], form.cleaned_data["otp"]),
            actor=caller(request),
            step_pk=step_pk,
            decision=Decision(form.cleaned_data["decision"]),
            digest=form.cleaned_data["digest"],
            channel=channel,
            comment=form.cleaned_data["comment"],
        ),
    )


@login_required
@require_POST
def validate_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Accept the result, send it back with an instruction, or take it over by hand."""
    task_or_404(request, task_id)
    form = ValidationForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused(request, task_id, _("The form was not complete."), 400)
    return act_on_task(
        request,
        task_id,
        _("Your validation was recorded."),
        lambda: validate_result(
            actor=caller(request),
            task_id=task_id,
            decision=ReviewDecision(form.cleaned_data["decision"]),
            comment=form.cleaned_data["comment"],
            artefact=form.cleaned_data["artefact"],
        ),
    )


@login_required
@require_POST
def release_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Start an approved task that waits for its time."""
    task_or_404(request, task_id)
    return act_on_task(
        request, task_id, _("It starts now."), lambda: release_task(actor=caller(request), task_id=task_id)
    )


@login_required
@require_POST
def add_information_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Answer what the task asks for."""
    task_or_404(request, task_id)
    form = InformationForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused(request, task_id, _("The form was not complete."), 400)
    return act_on_task(
        request,
        task_id,
        _("Thank you. The request was read again."),
        lambda: add_information(
            actor=caller(request),
            task_id=task_id,
            text=form.cleaned_data["text"],
            artefact=form.cleaned_data["artefact"],
        ),
    )


def proof_given(request: HttpRequest, password: str, otp: str) -> IdentityProof | None:
    """Given with the form, and kept for the next minutes; or given a moment ago."""
    if not password and not otp:
        return remembered_proof(request)
    proof = confirm_identity(request, actor=caller(request), password=password, otp=otp)
    remember_proof(request, proof)
    return proof


def act_on_task(request: HttpRequest, task_id: str, done: str, act: Callable[[], Any]) -> HttpResponse:
    """`act_and_return` to the task's page."""
    return act_and_return(request, _back(request, task_id), done, act)


def act_and_return(request: HttpRequest, back: str, done: str, act: Callable[[], Any]) -> HttpResponse:
    """Call the service: back to the page with a word of success, or the refusal in words."""
    try:
        act()
    except NotVisible as error:
        raise Http404 from error
    except GuardiaError as error:
        return render(request, "portal/refused.html", {"reason": str(error), "back": back}, status=error.http_status)
    messages.success(request, done)
    return redirect(back)


def refused(request: HttpRequest, task_id: str, reason: str, status: int) -> HttpResponse:
    """Nothing was changed: say why, and lead back."""
    return render(request, "portal/refused.html", {"reason": reason, "back": _back(request, task_id)}, status=status)


def _back(request: HttpRequest, task_id: str) -> str:
    given = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(given, {request.get_host()}, require_https=request.is_secure())
    return given if is_ours else f"/tasks/{task_id}/"


def _came_from_admin(request: HttpRequest) -> bool:
    return request.POST.get("next", "").startswith("/admin/")
