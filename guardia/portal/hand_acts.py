"""The acts of people on a task that the engine didn't bring to its end: take over, record, close, plan again."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import caller
from governance.models import Evidence
from governance.services.close_task import close_by_hand, close_not_done
from governance.services.plan_again import plan_again
from governance.services.record_manual_work import record_manual_work
from governance.services.take_over import take_over
from guardia.portal.acts import act_on_task, refused
from guardia.portal.forms import ManualRecordForm, ReasonForm
from guardia.portal.views import task_or_404


@login_required
@require_POST
def take_over_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Do the rest by hand."""
    return _with_reason(
        request,
        task_id,
        _("The task is in your hands now."),
        lambda reason: take_over(actor=caller(request), task_id=task_id, reason=reason),
    )


@login_required
@require_POST
def close_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Accept what was done by hand."""
    return _with_reason(
        request,
        task_id,
        _("The task is closed: done by hand."),
        lambda reason: close_by_hand(actor=caller(request), task_id=task_id, comment=reason),
    )


@login_required
@require_POST
def not_done_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Close what won't be done."""
    return _with_reason(
        request,
        task_id,
        _("The task is closed without being done."),
        lambda reason: close_not_done(actor=caller(request), task_id=task_id, reason=reason),
    )


@login_required
@require_POST
def plan_again_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Let it be planned and approved anew."""
    return _with_reason(
        request,
        task_id,
        _("The task is planned again."),
        lambda reason: plan_again(actor=caller(request), task_id=task_id, reason=reason),
    )


@login_required
@require_POST
def record_act(request: HttpRequest, task_id: str) -> HttpResponse:
    """Record what was done by hand, with its evidence."""
    task_or_404(request, task_id)
    form = ManualRecordForm(request.POST)
    if not form.is_valid():
        return refused(request, task_id, _("Say when the work was done."), 400)
    return act_on_task(
        request,
        task_id,
        _("Your work was recorded."),
        lambda: record_manual_work(
            actor=caller(request),
            task_id=task_id,
            text=form.cleaned_data["text"],
            done_at=form.cleaned_data["done_at"],
            hostnames=request.POST.getlist("servers"),
            command_log=form.cleaned_data["command_log"],
            files=request.FILES.getlist("files"),
        ),
    )


@login_required
@require_safe
def evidence_file(request: HttpRequest, task_id: str, pk: int) -> HttpResponseBase:
    """A piece of evidence as it was uploaded: always a download, never shown by the browser."""
    task = task_or_404(request, task_id)
    piece = Evidence.objects.filter(record__task=task, pk=pk).first()
    if piece is None or not piece.path.is_file():
        raise Http404
    return FileResponse(
        piece.path.open("rb"), as_attachment=True, filename=piece.name, content_type="application/octet-stream"
    )


def _with_reason(request: HttpRequest, task_id: str, done: str, service: Callable[[str], Any]) -> HttpResponse:
    task_or_404(request, task_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return refused(request, task_id, _("The form was not complete."), 400)
    return act_on_task(request, task_id, done, lambda: service(form.cleaned_data["reason"]))
