"""The acts on a run that is under way, or that has ended with servers left out: POST, one service, a message, back."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.caller import caller
from accounts.models import User
from execution.choices import RollbackScope
from execution.rollout.retry_failed import retry_failed
from execution.rollout.steer_run import abort_run, pause_run, skip_host
from guardia.portal.acts import act_on_task, refused
from guardia.portal.views import task_or_404

Data = dict[str, Any]


class SteerForm(forms.Form):
    reason = forms.CharField(max_length=2000, required=False)


class SkipForm(SteerForm):
    hostname = forms.CharField(max_length=128)


class AbortForm(SteerForm):
    """What can't be taken back is confirmed."""

    rollback = forms.ChoiceField(choices=RollbackScope.choices)
    confirmed = forms.BooleanField()


def _abort(*, actor: User, task_id: str, rollback: str, confirmed: bool, reason: str) -> None:
    abort_run(actor=actor, task_id=task_id, reason=reason, rollback=RollbackScope(rollback))


#: act → its form, its service, what is said afterwards
ACTS: dict[str, tuple[type[forms.Form], Callable[..., Any], Promise]] = {
    "pause": (SteerForm, pause_run, _("Paused. What is being worked on is finished; nothing else begins.")),
    "skip": (SkipForm, skip_host, _("The server is left out.")),
    "retry": (SteerForm, retry_failed, _("The failed servers are tried again.")),
    "abort": (AbortForm, _abort, _("The run is being aborted. What is being worked on is finished first.")),
}


@login_required
@require_POST
def run_act(request: HttpRequest, task_id: str, act: str) -> HttpResponse:
    """Pause, skip, retry, abort; a paused run goes on by `portal:resume`."""
    task_or_404(request, task_id)
    if act not in ACTS:
        raise Http404
    form_class, service, done = ACTS[act]
    form = form_class(request.POST)
    if not form.is_valid():
        return refused(request, task_id, _now("The form was not complete."), 400)
    data: Data = form.cleaned_data
    return act_on_task(request, task_id, str(done), lambda: service(actor=caller(request), task_id=task_id, **data))
