from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from accounts.scope import visible_to
from audit.services import record
from guardia.common.clock import local_day
from guardia.common.errors import InvalidInput, NotPermitted
from notifications.services import notify
from tickets.choices import Channel, risk_of
from tickets.exceptions import EmptyRequest
from tickets.locks import lock_task
from tickets.models import Artefact, OpsTask, TaskNumber
from tickets.services.store_artefact import StoredFile, store_artefact
from tickets.services.transition_task import transition_task
from tickets.signals import task_parsed
from tickets.understanding import Understood, understand
from tickets.words import NEEDS

TEXT_LIMIT = 10_000


def file_task(
    *,
    actor: User,
    text: str,
    channel: Channel,
    artefact: UploadedFile | None = None,
    system_code: str = "",
    hostnames: list[str] | None = None,
) -> OpsTask:
    """Take a request in: received, parsed, and either ready to be planned (PAR) or asking for what is missing (INF).

    Raises InvalidInput (empty, too long), UnknownServer, UnknownSystem, NotYourSystem, ArtefactTooLarge; nothing is
    kept then.
    """
    text = checked_text(text)
    if not actor.is_active:
        raise NotPermitted
    stored = store_artefact(artefact) if artefact is not None else None
    understood = understand(
        actor=actor, text=text, has_artefact=stored is not None, system_code=system_code, hostnames=hostnames
    )
    with transaction.atomic():
        task = OpsTask.objects.create(
            task_id=_next_task_id(),
            institution=understood.institution or home_institution(actor),
            requester=actor,
            channel=channel,
            text=text,
        )
        if stored is not None:
            attach(task, stored)
        record(
            action="task.received",
            actor=actor,
            institution=task.institution,
            subject=task,
            task_id=task.task_id,
            summary=task.title,
            artefact=stored.sha256 if stored else "",
        )
        return apply_understanding(task=lock_task(task.pk), understood=understood, actor=actor)


def apply_understanding(*, task: OpsTask, understood: Understood, actor: User) -> OpsTask:
    """Write what was understood into a locked task and take it to PAR or INF."""
    parsed = understood.parsed
    task.system, task.params = understood.system, parsed.params
    task.category, task.sub_type = parsed.category or "", parsed.sub_type or ""
    task.is_dangerous, task.is_urgent = parsed.is_dangerous, parsed.is_urgent
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


def attach(task: OpsTask, stored: StoredFile) -> Artefact:
    return Artefact.objects.create(task=task, name=stored.name, size=stored.size, sha256=stored.sha256)


def checked_text(text: str) -> str:
    """The text, trimmed. Raises EmptyRequest or InvalidInput."""
    text = text.replace("\x00", "").strip()
    if not text:
        raise EmptyRequest
    if len(text) > TEXT_LIMIT:
        raise InvalidInput(_("The text is longer than %(limit)s characters.") % {"limit": TEXT_LIMIT}, code="too_long")
    return text


def home_institution(actor: User) -> Institution:
    """Where a request that names no institution is kept: the requester's own. Raises NotPermitted without one."""
    institution = visible_to(Institution.objects.all(), actor).first()
    if institution is None:
        raise NotPermitted(_("You belong to no institution yet. An administrator can add you to one."))
    return institution


def _next_task_id() -> str:
    """`OPS-YYYYMMDD-NNN` of the Seoul day; the day's row stays locked until commit, so no number is lost or doubled."""
    day = local_day()
    TaskNumber.objects.get_or_create(day=day)
    number = TaskNumber.objects.select_for_update().get(day=day)
    number.last += 1
    number.save(update_fields=["last"])
    return f"OPS-{day:%Y%m%d}-{number.last:03d}"
