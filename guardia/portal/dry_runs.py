"""A dry run of a task's plan: asked for, its progress, its result."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import caller
from execution.dry_run_panel import dry_run as panel_of
from execution.dry_run_panel import dry_run_document
from execution.gate.dry_runs import ask_dry_run
from guardia.common.canonical import canonical_bytes
from guardia.portal.acts import act_on_task
from guardia.portal.views import download, task_or_404
from tickets.panels import TaskPage
from tickets.selectors import task_to_show


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def dry_run(request: HttpRequest, task_id: str) -> HttpResponse:
    """POST: have the servers asked. GET: the panel alone, for a page that waits for it."""
    if request.method == "POST":
        task_or_404(request, task_id)
        done = _("The servers are being asked. Nothing is changed there.")
        return act_on_task(request, task_id, done, lambda: ask_dry_run(actor=caller(request), task_id=task_id))
    task = task_or_404(request, task_id, task_to_show)
    panel = panel_of(TaskPage(request, task))
    if panel is None:
        raise Http404
    return render(request, "execution/partials/dry_run_panel.html", {"panel": panel, "task": task, "is_part": True})


@login_required
@require_safe
def document(request: HttpRequest, task_id: str) -> HttpResponse:
    """What every server said."""
    found = dry_run_document(task_or_404(request, task_id))
    if found is None:
        raise Http404
    return download(canonical_bytes(found), f"{task_id}-dry-run.json")
