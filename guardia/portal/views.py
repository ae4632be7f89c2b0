"""Reads of the portal. Every query goes through a selector that is scoped to the user."""

import re
from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import caller
from accounts.models import User
from audit.selectors import institutions_to_report, may_report
from execution.export_table import export_table
from execution.open_log import open_core_log
from execution.selectors import current_plan, latest_run
from governance.selectors import steps_awaiting, tasks_to_validate
from governance.selectors_authority import administered
from guardia.common.canonical import canonical_bytes
from guardia.common.errors import GuardiaError, NotPermitted, NotVisible
from guardia.common.paging import newest_first
from notifications.models import Notification
from notifications.services import mark_read
from tickets.choices import TaskStatus
from tickets.models import OpsTask
from tickets.panels import panels_of
from tickets.selectors import search_tasks, task_to_show, tasks_visible_to, visible_task

_PER_PAGE = 20


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me, what I filed, what is new."""
    tasks = tasks_visible_to(request.user)
    context = {
        "place": "home",
        "inbox": list(steps_awaiting(request.user)[:10]),
        "to_validate": list(tasks_to_validate(request.user)[:10]),
        "mine": list(tasks.filter(requester_id=request.user.pk)[:10]),
        "news": list(Notification.objects.filter(recipient_id=request.user.pk)[:5]),
    }
    return render(request, "portal/home.html", context)


@login_required
@require_safe
def task_list(request: HttpRequest) -> HttpResponse:
    """Tasks of my institutions, newest first; `status` and `q` (words of the request or a TASK_ID) narrow it down.
    `before` and `after` are keys of tasks: the page goes on from there."""
    tasks = tasks_visible_to(request.user)
    status, words = request.GET.get("status", ""), searched_words(request)
    if status in TaskStatus.values:
        tasks = tasks.filter(status=status)
    if words:
        tasks = search_tasks(tasks, words)
    before, after = request.GET.get("before", ""), request.GET.get("after", "")
    page = newest_first(tasks, size=_PER_PAGE, before=before, after=after)
    context = {"place": "tasks", "page": page, "status": status, "q": words, "statuses": TaskStatus.choices}
    return render(request, "portal/task_list.html", context)


@login_required
@require_safe
def task_detail(request: HttpRequest, task_id: str) -> HttpResponse:
    """One task with everything that belongs to it."""
    task = task_or_404(request, task_id, read=task_to_show)
    context = {"place": "tasks", "task": task, "panels": panels_of(request, task)}
    return render(request, "portal/task_detail.html", context)


@login_required
@require_safe
def message_list(request: HttpRequest) -> HttpResponse:
    """All that I was told; looking at it marks it as read."""
    rows = list(Notification.objects.filter(recipient_id=request.user.pk)[:100])
    mark_read(actor=caller(request), upto=rows[0].pk if rows else 0)
    return render(request, "portal/messages.html", {"place": "messages", "rows": rows})


@login_required
@require_safe
def more(request: HttpRequest) -> HttpResponse:
    """Every other place, for screens that have no room for the bar on top."""
    user = caller(request)
    reports = may_report(user, None) or institutions_to_report(user).exists()
    context = {"place": "more", "may_administer": administered(user).exists(), "may_report": reports}
    return render(request, "portal/more.html", context)


@login_required
@require_safe
def plan_document(request: HttpRequest, task_id: str) -> HttpResponse:
    """The newest plan's canonical bytes: `sha256sum` of the download is the digest that was approved."""
    plan = current_plan(task_or_404(request, task_id))
    if plan is None:
        raise Http404
    return download(plan.document.encode(), f"{task_id}-plan.json")


@login_required
@require_safe
def result_document(request: HttpRequest, task_id: str) -> HttpResponse:
    """The result package of the latest run, canonical too."""
    run = latest_run(task_or_404(request, task_id))
    if run is None or not hasattr(run, "result"):
        raise Http404
    return download(canonical_bytes(run.result.document), f"{task_id}-result.json")


@login_required
@require_POST
def result_table(request: HttpRequest, task_id: str, table_pk: int) -> HttpResponse:
    """The rows of a query as CSV; a POST, because the chain notes who took them."""
    try:
        content = export_table(actor=caller(request), task_id=task_id, table_pk=table_pk)
    except NotVisible as error:
        raise Http404 from error
    except NotPermitted as error:
        raise PermissionDenied(str(error)) from error
    return download(content, f"{task_id}-{table_pk}.csv", "text/csv")


@login_required
@require_POST
def core_log(request: HttpRequest, task_id: str, log_pk: int) -> HttpResponse:
    """A log that a failed run kept, as plain text; a POST, because the chain notes who took it."""
    try:
        log = open_core_log(actor=caller(request), task_id=task_id, log_pk=log_pk)
    except NotVisible as error:
        raise Http404 from error
    except GuardiaError as error:
        raise PermissionDenied(str(error)) from error
    name = f"{task_id}-{log.host_run.server.hostname}-{log.path.rpartition('/')[2]}.txt"
    return download(log.text.encode(), re.sub(r"[^\w.-]", "_", name, flags=re.ASCII), "text/plain")


def searched_words(request: HttpRequest) -> str:
    """What `q` asks for, without what PostgreSQL can't compare."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:80]


def task_or_404(
    request: HttpRequest, task_id: str, read: Callable[[User | AnonymousUser, str], OpsTask] = visible_task
) -> OpsTask:
    try:
        return read(request.user, task_id)
    except NotVisible as error:
        raise Http404 from error


def download(content: bytes, name: str, kind: str = "application/json") -> HttpResponse:
    """Bytes as a file with this name."""
    response = HttpResponse(content, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
