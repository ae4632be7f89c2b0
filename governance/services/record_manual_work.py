import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holders_of
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import Server
from governance.models import Evidence, ManualRecord
from governance.selectors import holder_of
from governance.services.who import require_hand
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState, UnknownServer
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.file_task import checked_text
from tickets.services.store_artefact import store_artefact

FILES_LIMIT = 10
LOG_LIMIT = 200_000
_CLOCKS_DIFFER = timedelta(minutes=5)


@refusals_recorded
def record_manual_work(
    *,
    actor: User,
    task_id: str,
    text: str,
    done_at: datetime,
    hostnames: Sequence[str] = (),
    command_log: str = "",
    files: Sequence[UploadedFile] = (),
) -> ManualRecord:
    """Keep what the one who has taken the task over did outside: in words, when, on which servers, with files.

    Raises NotVisible, NotPermitted (somebody else has it; the message says who), NotInThatState, InvalidInput (no text,
    too long, in the future, too many files), UnknownServer, ArtefactTooLarge; nothing is kept then.
    """
    text, command_log = checked_text(text), command_log.replace("\x00", "").strip()
    if len(command_log) > LOG_LIMIT:
        limit = {"limit": LOG_LIMIT}
        raise InvalidInput(_("The log is longer than %(limit)s characters; add it as a file.") % limit, code="too_long")
    if len(files) > FILES_LIMIT:
        raise InvalidInput(_("At most %(limit)s files at a time.") % {"limit": FILES_LIMIT}, code="too_many_files")
    if done_at > now() + _CLOCKS_DIFFER:
        raise InvalidInput(_("Work that is still to come can't be recorded."), code="in_the_future")
    with transaction.atomic():
        task = lock_visible_task(task_id, actor)
        _check(task, actor)
        servers = _servers(task, hostnames)
        stored = [store_artefact(file) for file in files]
        row = ManualRecord.objects.create(task=task, author=actor, done_at=done_at, text=text, command_log=command_log)
        row.servers.set(servers)
        for file in stored:
            Evidence.objects.create(record=row, name=file.name, size=file.size, sha256=file.sha256)
        record(
            action="manual.recorded",
            actor=actor,
            institution=task.institution,
            subject=row,
            task_id=task.task_id,
            summary=text,
            done_at=done_at,
            servers=[server.hostname for server in servers],
            files={file.sha256: file.name for file in stored},
            command_log_sha256=hashlib.sha256(command_log.encode()).hexdigest() if command_log else "",
        )
        _tell(task, row)
    return row


def _check(task: OpsTask, actor: User) -> None:
    require_hand(actor, task)
    if task.status != TaskStatus.MANUAL:
        raise NotInThatState(current=task.status)
    holder = holder_of(task)
    if holder is None:
        raise NotPermitted(_("Take the task over first; then record what was done."), code="not_taken_over")
    if holder != actor:
        message = _("%(name)s has taken this task over and can record. Or take it over yourself first.")
        raise NotPermitted(message % {"name": holder}, code="not_taken_over")


def _servers(task: OpsTask, hostnames: Sequence[str]) -> list[Server]:
    """Servers of the task's institution. Raises UnknownServer; InvalidInput where none of the task's is named."""
    found = list(
        Server.objects.filter(system__institution=task.institution_id, hostname__in=set(hostnames)).order_by("hostname")
    )
    missing = set(hostnames) - {server.hostname for server in found}
    if missing:
        raise UnknownServer(_("There is no server “%(name)s” here.") % {"name": min(missing)[:80]})
    if not found and task.servers.exists():
        raise InvalidInput(_("Name the servers that were worked on."), code="no_servers")
    return found


def _tell(task: OpsTask, row: ManualRecord) -> None:
    judges = [pm for pm in holders_of(Role.PM, task.institution_id) if pm.pk not in (row.author_id, *task.author_ids)]
    notify(
        recipients=judges,
        kind="work_recorded",
        key=f"record:{row.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor=row.author,
        title=task.title,
    )
