"""The acts about when a task runs: later, before others, in spite of a freeze, on after a pause."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.caller import caller
from execution.rollout.resume_run import resume_run
from governance.choices import Decision
from governance.services.freeze_exceptions import decide_freeze_exception, request_freeze_exception
from governance.services.schedule_task import run_later, set_priority
from guardia.portal.acts import act_on_task, refused
from guardia.portal.views import task_or_404
from tickets.choices import Priority


class LaterForm(forms.Form):
    scheduled_for = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M"])


class PriorityForm(forms.Form):
    priority = forms.TypedChoiceField(choices=Priority.choices, coerce=int)
    reason = forms.CharField(max_length=2000, required=False)


class ExceptionForm(forms.Form):
    freeze = forms.IntegerField(min_value=1, max_value=2**62)
    reason = forms.CharField(max_length=2000, required=False)


class ExceptionDecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=Decision.choices)
    comment = forms.CharField(max_length=2000, required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=2000, required=False)


def _read(request: HttpRequest, task_id: str, form_class: type[forms.Form]) -> dict[str, Any] | HttpResponse:
    task_or_404(request, task_id)
    form = form_class(request.POST)
    return form.cleaned_data if form.is_valid() else refused(request, task_id, _("The form was not complete."), 400)


@login_required
@require_POST
def run_later_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Not before this time; empty: as soon as it may."""
    data = _read(request, task_id, LaterForm)
    if isinstance(data, HttpResponse):
        return data
    return act_on_task(
        request,
        task_id,
        _("The time was recorded."),
        lambda: run_later(actor=caller(request), task_id=task_id, scheduled_for=data["scheduled_for"]),
    )


@login_required
@require_POST
def set_priority_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Before or behind others."""
    data = _read(request, task_id, PriorityForm)
    if isinstance(data, HttpResponse):
        return data
    return act_on_task(
        request,
        task_id,
        _("The priority was recorded."),
        lambda: set_priority(
            actor=caller(request), task_id=task_id, priority=Priority(data["priority"]), reason=data["reason"]
        ),
    )


@login_required
@require_POST
def request_exception_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Ask to go on in spite of a freeze."""
    data = _read(request, task_id, ExceptionForm)
    if isinstance(data, HttpResponse):
        return data
    return act_on_task(
        request,
        task_id,
        _("The exception was asked for."),
        lambda: request_freeze_exception(
            actor=caller(request), task_id=task_id, freeze_pk=data["freeze"], reason=data["reason"]
        ),
    )


@login_required
@require_POST
def decide_exception_act(request: HttpRequest, task_id: str, exception_pk: int) -> HttpResponse:
    """Grant or refuse an exception."""
    data = _read(request, task_id, ExceptionDecisionForm)
    if isinstance(data, HttpResponse):
        return data
    return act_on_task(
        request,
        task_id,
        _("Your decision was recorded."),
        lambda: decide_freeze_exception(
            actor=caller(request),
            task_id=task_id,
            exception_pk=exception_pk,
            decision=Decision(data["decision"]),
            comment=data["comment"],
        ),
    )


@login_required
@require_POST
def resume_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Let a held run go on."""
    data = _read(request, task_id, ReasonForm)
    if isinstance(data, HttpResponse):
        return data
    return act_on_task(
        request,
        task_id,
        _("The run goes on."),
        lambda: resume_run(actor=caller(request), task_id=task_id, reason=data["reason"]),
    )
