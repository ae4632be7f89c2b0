import hashlib

from django.db import transaction

from execution.exceptions import NoPlaybook, PlanRefused
from execution.models import Plan
from execution.plan.build import build_document, playbook_for
from governance.exceptions import NobodyToAsk
from governance.services.request_approval import request_approval
from guardia.common.canonical import canonical_bytes
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
            request_approval(task=task, plan_digest=plan.digest, actor=ACTOR, content=plan.content)
    except (NoPlaybook, PlanRefused, NobodyToAsk) as refusal:
        transition_task(task=task, by="hand_over", actor=ACTOR, reason=str(refusal), code=refusal.code)
        return None
    return plan


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
