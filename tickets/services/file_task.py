from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holders_of, holds_role, visible_to
from accounts.who import named
from audit.services import record
from guardia.common.errors import InvalidInput, NotPermitted
from guardia.common.masking import mask
from tickets.choices import Channel, SubType
from tickets.exceptions import EmptyRequest
from tickets.intake_log import heard
from tickets.locks import lock_day, lock_task
from tickets.models import Artefact, OpsTask, TaskNumber
from tickets.services.apply_understanding import apply_understanding
from tickets.services.check_quota import check_bytes, check_requests
from tickets.services.store_artefact import StoredFile, store_artefact
from tickets.understanding import TEXT_LIMIT, Understood, understand

#: Auditors look; everybody else may ask for work.
FILING_ROLES = tuple(role for role in Role if role != Role.AUDITOR)
KEY_LIMIT = 64


@heard("request")
def file_task(
    *,
    actor: User,
    text: str,
    channel: Channel,
    artefact: UploadedFile | None = None,
    system_code: str = "",
    hostnames: Sequence[str] = (),
    key: str = "",
    sub_type: str = "",
    params: Mapping[str, Any] | None = None,
) -> OpsTask:
    """Take a request in: received, parsed, and either ready to be planned (PAR) or asking for what is missing (INF).

    `sub_type` and `params` name the work outright, beside the text (`understand`).
    `key` names one submission: sent twice (a double tap, a retry on a bad line) it is one task. Raises InvalidInput
    (empty, too long, contradicting), UnknownServer, UnknownSystem, NotYourSystem, NotPermitted, QuotaExceeded,
    ArtefactTooLarge; nothing is kept then.
    """
    text, key, params = checked_text(text), key[:KEY_LIMIT], _checked_params(sub_type, params or {})
    filed = _filed_before(actor, key)
    if filed is not None:
        return filed
    understood = understand(
        actor=actor,
        text=text,
        has_artefact=artefact is not None,
        system_code=system_code,
        hostnames=hostnames,
        sub_type=sub_type,
        params=params,
    )
    institution = _filing_institution(actor, understood)
    named: dict[str, Any] = {"system": system_code, "servers": list(hostnames)}
    if sub_type:
        named |= {"sub_type": sub_type, "params": params}
    stored = None
    if artefact is not None:
        check_bytes(actor, institution, artefact.size or 0)
        stored = store_artefact(artefact)
    try:
        with transaction.atomic():
            number = lock_day()
            check_requests(actor, institution)
            task = OpsTask.objects.create(
                task_id=_next_task_id(number),
                institution=institution,
                requester=actor,
                channel=channel,
                text=text,
                named=named,
                intake_key=key or None,
            )
            return _receive(task, stored, understood, actor)
    except IntegrityError:
        filed = _filed_before(actor, key)  # the other of two at the same moment was first
        if filed is None:
            raise
        return filed


def _checked_params(sub_type: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The named parameters, secrets masked as in the text. What they must be like, the playbook says when it plans."""
    if sub_type and sub_type not in SubType.values:
        raise InvalidInput(_("There is no such kind of work."), code="unknown_sub_type")
    size = sum(len(name) + len(str(value)) for name, value in params.items())
    if size > TEXT_LIMIT:
        raise InvalidInput(_("The text is longer than %(limit)s characters.") % {"limit": TEXT_LIMIT}, code="too_long")
    return {name: mask(value) if isinstance(value, str) else value for name, value in params.items()}


def _receive(task: OpsTask, stored: StoredFile | None, understood: Understood, actor: User) -> OpsTask:
    if stored is not None:
        attach(task, stored, by=actor)
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


def _filed_before(actor: User, key: str) -> OpsTask | None:
    return OpsTask.objects.filter(requester=actor, intake_key=key).first() if key else None


def attach(task: OpsTask, stored: StoredFile, *, by: User) -> Artefact:
    """The file of a locked task from now on. Who puts one in the place of the requester's is an author of the request.

    Raises QuotaExceeded.
    """
    lock_day()
    check_bytes(task.requester, task.institution, stored.size)
    task.amended_by = by if by.pk != task.requester_id else None
    task.save(update_fields=["amended_by"])
    return Artefact.objects.create(task=task, name=stored.name, size=stored.size, sha256=stored.sha256)


def checked_text(text: str) -> str:
    """The text, trimmed, with what looks like a secret masked: it will be read by many. Raises EmptyRequest or
    InvalidInput."""
    text = text.replace("\x00", "").strip()
    if not text:
        raise EmptyRequest
    if len(text) > TEXT_LIMIT:
        raise InvalidInput(_("The text is longer than %(limit)s characters.") % {"limit": TEXT_LIMIT}, code="too_long")
    return mask(text)


def _filing_institution(actor: User, understood: Understood) -> Institution:
    """Where the request is kept: where its system is, otherwise the requester's own institution.

    Raises NotPermitted for those who may not file there, InvalidInput where several institutions are possible.
    """
    institution = understood.institution or _home_institution(actor)
    if not actor.is_active or not (actor.is_superuser or holds_role(actor, FILING_ROLES, institution.pk)):
        names = named(holders_of(Role.SITE_MANAGER, institution.pk)[:3])
        raise NotPermitted(_("You may look, not file. These people may: %(names)s") % {"names": names})
    return institution


def _home_institution(actor: User) -> Institution:
    mine = list(visible_to(Institution.objects.all(), actor)[:2])
    if not mine:
        raise NotPermitted(_("You belong to no institution yet. An administrator can add you to one."))
    if len(mine) > 1:
        raise InvalidInput(_("Please name the institution or the system."), code="which_institution")
    return mine[0]


def _next_task_id(number: TaskNumber) -> str:
    """`OPS-YYYYMMDD-NNN` of the locked day."""
    number.last += 1
    number.save(update_fields=["last"])
    return f"OPS-{number.day:%Y%m%d}-{number.last:03d}"
