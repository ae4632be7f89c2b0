from django.db import transaction
from django.utils import timezone

from accounts.models import User
from guardia.common.clock import local_day, now
from notifications.services import notify
from tickets.choices import risk_of
from tickets.models import OpsTask
from tickets.parsing.moment import asked_moment
from tickets.services.transition_task import transition_task
from tickets.signals import task_parsed
from tickets.understanding import Understood
from tickets.words import NEEDS


def apply_understanding(*, task: OpsTask, understood: Understood, actor: User) -> OpsTask:
    """Write what was understood into a locked task and take it to PAR or INF."""
    parsed = understood.parsed
    task.system, task.params = understood.system, parsed.params
    task.category, task.sub_type = parsed.category or "", parsed.sub_type or ""
    task.is_dangerous, task.is_urgent = parsed.is_dangerous, parsed.is_urgent
    _take_time(task)
    task.risk = risk_of(task.category, task.sub_type, is_dangerous=task.is_dangerous)
    task.needs_info = understood.needs if parsed.is_request else ["request"]
    task.servers.set(understood.servers)
    if task.needs_info:
        transition_task(task=task, by="ask_for_information", actor=actor, needs=task.needs_info)
        notify(
            recipients=[task.requester],
            kind="info_needed",
            key=f"{task.task_id}:{len(task.text)}",
            link=f"/tasks/{task.task_id}/",
            task=task.task_id,
            missing=", ".join(str(NEEDS.get(slot, slot)) for slot in task.needs_info),
        )
        return task
    hosts = [server.hostname for server in understood.servers]
    transition_task(task=task, by="mark_parsed", actor=actor, servers=hosts, rules=list(parsed.reasons))
    transaction.on_commit(lambda: task_parsed.send(OpsTask, task_pk=task.pk))
    return task


def _take_time(task: OpsTask) -> None:
    """A time that leaves no doubt is kept as the task's own; with any other it is held until somebody starts it."""
    when = task.params.get("when")
    if not when:
        task.is_held = False
        return
    at = timezone.localtime(now(), timezone.get_default_timezone())
    said_today = local_day(at) == local_day(task.created_at)
    task.scheduled_for = asked_moment(task.text, when, at, relative=said_today) or task.scheduled_for
    task.is_held = task.scheduled_for is None
