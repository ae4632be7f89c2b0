import hashlib

from django.db import transaction

from accounts.choices import Role
from accounts.scope import holders_of
from execution.exceptions import NoPlaybook, PlanRefused
from execution.models import Plan
from execution.plan.build import build_document, playbook_for
from governance.choices import StepRole
from governance.exceptions import NobodyToAsk
from governance.selectors import people_for
from governance.services.request_approval import request_approval
from guardia.common.canonical import canonical_bytes
from guardia.common.errors import GuardiaError
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.locks import lock_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task

ACTOR = "guardia"


@transaction.atomic
def prepare_plan(task_pk: int) -> Plan | None:
    """Plan a parsed task and ask for its approval. A task that isn't PAR any more is left alone (the bell may ring
    twice). What can't be planned goes to people with the reason (MAN)."""
    task = lock_task(task_pk)
    if task.status != TaskStatus.PARSED:
        return None
    try:
        with transaction.atomic():
            plan = freeze_plan(task)
            request_approval(task=task, plan_digest=plan.digest, actor=ACTOR)
    except (NoPlaybook, PlanRefused, NobodyToAsk) as refusal:
        hand_to_people(task, refusal)
        return None
    return plan


def hand_to_people(task: OpsTask, refusal: GuardiaError) -> None:
    """A locked task that can't go on by itself: MAN with the reason, and everybody concerned is told."""
    transition_task(task=task, by="hand_over", actor=ACTOR, reason=str(refusal), code=refusal.code)
    notify(
        recipients=[task.requester, *people_for(StepRole.OWNER, task), *holders_of(Role.PM, task.institution_id)],
        kind="manual_needed",
        key=f"{task.task_id}:{refusal.code}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        reason=refusal,
    )


def freeze_plan(task: OpsTask) -> Plan:
    """The plan of a locked task as its rows are now; the same rows give the same plan."""
    playbook = playbook_for(task)
    document = canonical_bytes(build_document(task, playbook))
    plan, _created = Plan.objects.get_or_create(
        task=task,
        digest=hashlib.sha256(document).hexdigest(),
        defaults={"playbook": playbook, "document": document.decode()},
    )
    return plan
