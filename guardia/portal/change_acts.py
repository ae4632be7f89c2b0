"""A prepared change: the PM's judgement, and the diff as a file."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import caller
from governance.choices import ReviewDecision
from governance.services.review_change import review_change
from guardia.portal.acts import act_on_task, refused
from guardia.portal.forms import ChangeReviewForm
from guardia.portal.views import task_or_404


@login_required
@require_POST
def review_act(request: HttpRequest, task_id: str, revision: int) -> HttpResponse:
    """Accept, rework or take over, for the diff whose digest the page showed."""
    task_or_404(request, task_id)
    form = ChangeReviewForm(request.POST)
    if not form.is_valid():
        return refused(request, task_id, _("The form was not complete."), 400)
    return act_on_task(
        request,
        task_id,
        _("Your review was recorded."),
        lambda: review_change(
            actor=caller(request),
            task_id=task_id,
            revision=revision,
            digest=form.cleaned_data["digest"],
            decision=ReviewDecision(form.cleaned_data["decision"]),
            instruction=form.cleaned_data["instruction"],
        ),
    )


@login_required
@require_safe
def change_diff(request: HttpRequest, task_id: str, revision: int) -> HttpResponse:
    """The whole diff as it was submitted: `sha256sum` of the download is the digest that was reviewed."""
    change = task_or_404(request, task_id).change_reviews.filter(revision=revision).first()
    if change is None:
        raise Http404
    response = HttpResponse(change.diff.encode(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{task_id}-{revision}.diff"'
    return response
