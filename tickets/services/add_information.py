import hashlib

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import record
from guardia.common.errors import NotPermitted
from tickets.choices import TaskStatus
from tickets.exceptions import EmptyRequest, NotInThatState
from tickets.intake_log import heard
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.apply_understanding import apply_understanding
from tickets.services.file_task import attach, checked_text
from tickets.services.store_artefact import store_artefact
from tickets.understanding import understand


@heard("information")
def add_information(*, actor: User, task_id: str, text: str = "", artefact: UploadedFile | None = None) -> OpsTask:
    """Answer what a task in INF asks for: more words, a file, or both; then it is understood again.

    The requester only. Raises EmptyRequest, NotPermitted, NotInThatState.
    """
    if not text.strip() and artefact is None:
        raise EmptyRequest
    stored = store_artefact(artefact) if artefact is not None else None
    with transaction.atomic():
        task = lock_visible_task(task_id, actor)
        if task.requester_id != actor.pk:
            raise NotPermitted(_("Only %(name)s, who filed the task, can add to it.") % {"name": task.requester})
        if task.status != TaskStatus.NEEDS_INFORMATION:
            raise NotInThatState(current=task.status)
        if text.strip():
            task.text = checked_text(f"{task.text}\n{text}")
        if stored is not None:
            attach(task, stored, by=actor)
        understood = understand(
            actor=actor,
            text=task.text,
            has_artefact=task.artefacts.exists(),
            system_code=task.named.get("system", ""),
            hostnames=task.named.get("servers", []),
            sub_type=task.named.get("sub_type", ""),
            params=task.named.get("params", {}),
        )
        record(
            action="task.information_added",
            actor=actor,
            institution=task.institution,
            subject=task,
            task_id=task.task_id,
            text_sha256=hashlib.sha256(task.text.encode()).hexdigest(),
            artefact=stored.sha256 if stored else "",
        )
        if understood.institution is not None:
            task.institution = understood.institution
        return apply_understanding(task=task, understood=understood, actor=actor)
