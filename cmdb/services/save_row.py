from typing import TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holds_role
from accounts.signals import acting_by_rank
from accounts.who import who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import Balancer, Database, Server, Site, System
from guardia.common.errors import NotPermitted

Row = TypeVar("Row", Site, System, Server, Database, Balancer)
_LONGEST_VALUE = 300


@refusals_recorded
@transaction.atomic
def save_row(*, actor: User, row: Row) -> Row:
    """Save a row of the CMDB; the chain gets each changed field with its value before and after.

    Operators of the institution only (of both, where the row moves). Raises NotPermitted and ValidationError.
    """
    before = type(row)._default_manager.select_for_update(of=("self",)).filter(pk=row.pk).first() if row.pk else None
    institution = _institution(row)
    for concerned in {institution, _institution(before)} if before is not None else {institution}:
        if not (actor.is_superuser or holds_role(actor, Role.OPERATOR, concerned.pk)):
            names = who_hold([Role.OPERATOR], concerned.pk)
            raise NotPermitted(
                _("The CMDB of %(institution)s is kept by: %(names)s.") % {"institution": concerned, "names": names}
            )
        acting_by_rank.send(User, actor=actor, institution=concerned)
    row.full_clean()
    changes = _changes(before, row)
    row.save()
    record(
        action=f"{row._meta.model_name}.{'changed' if before is not None else 'added'}",
        actor=actor,
        institution=institution,
        subject=row,
        changes=changes,
    )
    return row


def _institution(row: Site | System | Server | Database | Balancer) -> Institution:
    if isinstance(row, Balancer):
        return row.profile.institution
    if isinstance(row, Database):
        return row.server.system.institution
    return row.system.institution if isinstance(row, Server) else row.institution


def _changes(before: models.Model | None, after: models.Model) -> dict[str, list[str]]:
    """field → [before, after], as text; automatic fields left out."""
    changes = {}
    for field in after._meta.concrete_fields:
        old = field.value_from_object(before) if before is not None else None
        new = field.value_from_object(after)
        if old != new and not field.primary_key and not getattr(field, "auto_now", False):
            changes[field.name] = [_text(old), _text(new)]
    return changes


def _text(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST_VALUE]
