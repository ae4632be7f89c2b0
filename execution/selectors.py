"""Reads of plans and runs, scoped to a user."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Length

from accounts.models import User
from accounts.scope import visible_to
from execution.choices import Phase, StepStatus
from execution.models import CoreLog, HostRun, Plan, Run, RunEvent, StepResult
from tickets.models import OpsTask


def runs_visible_to(user: User | AnonymousUser) -> QuerySet[Run]:
    return visible_to(Run.objects.select_related("task", "plan"), user)


def current_plan(task: OpsTask) -> Plan | None:
    """The newest plan: the one that is, or was last, up for approval."""
    return task.plans.select_related("playbook").first()


def latest_run(task: OpsTask) -> Run | None:
    return task.runs.select_related("plan", "halt", "result").first()


def host_runs_of(run: Run) -> QuerySet[HostRun]:
    """The run's hosts in the order in which they go."""
    return (
        HostRun.objects.filter(wave__run=run).select_related("server", "wave__let_go_by").order_by("wave__number", "pk")
    )


def hosts_of_task(task: OpsTask) -> QuerySet[HostRun]:
    """The hosts of all runs of a task."""
    return HostRun.objects.filter(wave__run__task=task).select_related("server", "wave")


def with_progress(hosts: QuerySet[HostRun]) -> QuerySet[HostRun]:
    """Host runs with `steps_done` (steps that hold, on the way forward) and `step_name` (the latest one begun)."""
    held = Q(steps__phase=Phase.APPLY, steps__status__in=[StepStatus.OK, StepStatus.PROBED])
    latest = StepResult.objects.filter(host_run=OuterRef("pk")).order_by("-pk").values("name")[:1]
    return hosts.annotate(
        steps_done=Count("steps__order", filter=held, distinct=True), step_name=Coalesce(Subquery(latest), Value(""))
    )


def core_logs_of(run: Run) -> QuerySet[CoreLog]:
    """What the run's failed hosts left of their logs, without the texts; `size` in characters."""
    rows = CoreLog.objects.filter(host_run__wave__run=run).select_related("host_run__server")
    return rows.annotate(size=Length("text")).defer("text").order_by("pk")


def events_after(run_pk: int, number: int, limit: int = 500) -> list[RunEvent]:
    """The run's events after `number`, oldest first, at most `limit`: ask again with the last one's number."""
    return list(RunEvent.objects.filter(run_id=run_pk, number__gt=number).order_by("number")[:limit])


def last_events(run_pk: int, limit: int) -> list[RunEvent]:
    """The run's last events, oldest first."""
    newest = RunEvent.objects.filter(run_id=run_pk).order_by("-number")[:limit]
    return list(reversed(newest))
