"""What requester and approver do beside deciding: withdraw, file again, ask, answer, hand over."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.caller import caller
from accounts.models import User
from governance.services.ask_requester import answer_question, ask_requester
from governance.services.reassign_step import reassign_step
from governance.services.withdraw_task import withdraw_task
from guardia.portal.acts import act_on_task, refused
from guardia.portal.forms import ReassignForm, WordsForm
from guardia.portal.views import task_or_404
from tickets.services.resubmit_task import resubmit_task


@login_required
@require_POST
def withdraw_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Take one's own request back."""
    return _with_words(
        request,
        task_id,
        _("The request was withdrawn."),
        lambda words: withdraw_task(actor=caller(request), task_id=task_id, reason=words),
    )


@login_required
@require_POST
def resubmit_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """File what was rejected or withdrawn again."""
    return _with_words(
        request,
        task_id,
        _("The request was filed again."),
        lambda words: resubmit_task(actor=caller(request), task_id=task_id, reason=words),
    )


@login_required
@require_POST
def answer_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Answer the approver's question."""
    return _with_words(
        request,
        task_id,
        _("Your answer was sent."),
        lambda words: answer_question(actor=caller(request), task_id=task_id, answer=words),
    )


@login_required
@require_POST
def ask_act(request: HttpRequest, task_id: str, step_pk: int) -> HttpResponse:
    """Ask the requester something before deciding."""
    _step_or_404(request, task_id, step_pk)
    return _with_words(
        request,
        task_id,
        _("Your question was sent."),
        lambda words: ask_requester(actor=caller(request), step_pk=step_pk, question=words),
    )


@login_required
@require_POST
def reassign_act(request: HttpRequest, task_id: str, step_pk: int) -> HttpResponse:
    """Hand the step that waits for me to somebody else."""
    _step_or_404(request, task_id, step_pk)
    form = ReassignForm(request.POST)
    to = User.objects.filter(pk=form.cleaned_data["to"]).first() if form.is_valid() else None
    if to is None:
        return refused(request, task_id, _("The form was not complete."), 400)
    return act_on_task(
        request,
        task_id,
        _("The approval was handed over."),
        lambda: reassign_step(actor=caller(request), step_pk=step_pk, to=to, reason=form.cleaned_data["words"]),
    )


def _with_words(request: HttpRequest, task_id: str, done: str, act: Callable[[str], Any]) -> HttpResponse:
    task_or_404(request, task_id)
    form = WordsForm(request.POST)
    if not form.is_valid():
        return refused(request, task_id, _("The form was not complete."), 400)
    return act_on_task(request, task_id, done, lambda: act(form.cleaned_data["words"]))


def _step_or_404(request: HttpRequest, task_id: str, step_pk: int) -> None:
    """The step is one of this task's: a page's act never reaches another task."""
    if not task_or_404(request, task_id).rounds.filter(steps=step_pk).exists():
        raise Http404
