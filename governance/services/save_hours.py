"""Changes of windows, own holidays and freezes. Operators and administrators make them; a freeze that has been
announced is changed by administrators alone, because ending it early would be an exception without a second person."""

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import System
from governance.models import ChangeWindow, ExtraHoliday, Freeze
from governance.services.accounts import require_role
from guardia.common.canonical import moment_text
from guardia.common.errors import InvalidInput
from tickets.choices import TaskStatus
from tickets.models import OpsTask

_KEEPERS = (Role.OPERATOR, Role.ADMINISTRATOR)


@refusals_recorded
@transaction.atomic
def save_window(*, actor: User, window: ChangeWindow) -> ChangeWindow:
    """Add or change a change window. Raises NotPermitted, OutsideBastion, InvalidInput."""
    _check_system(window.system, window.institution)
    _require(actor, window, _KEEPERS)
    _save(window)
    record(
        action="window.saved",
        actor=actor,
        institution=window.institution,
        subject=window,
        system=window.system.code if window.system else "",
        tier=window.tier,
        weekdays=sorted(window.weekdays),
        starts_at=f"{window.starts_at:%H:%M}",
        ends_at=f"{window.ends_at:%H:%M}",
        on_holidays=window.on_holidays,
        is_active=window.is_active,
    )
    return window


@refusals_recorded
@transaction.atomic
def save_extra_holiday(*, actor: User, holiday: ExtraHoliday) -> ExtraHoliday:
    """Add or change a day off of an institution, or of all."""
    _require(actor, holiday, _KEEPERS)
    _save(holiday)
    record(
        action="holiday.saved",
        actor=actor,
        institution=holiday.institution,
        subject=holiday,
        day=holiday.day.isoformat(),
        name=holiday.name,
    )
    return holiday


@refusals_recorded
@transaction.atomic
def save_freeze(*, actor: User, freeze: Freeze) -> Freeze:
    """Announce a freeze, or change one (administrators). A freeze of a system is its institution's."""
    if freeze.system is not None:
        freeze.institution = freeze.institution or freeze.system.institution
    _check_system(freeze.system, freeze.institution)
    _require(actor, freeze, _KEEPERS if freeze.pk is None else (Role.ADMINISTRATOR,))
    _save(freeze)
    record(
        action="freeze.saved",
        actor=actor,
        institution=freeze.institution,
        subject=freeze,
        summary=freeze.reason,
        system=freeze.system.code if freeze.system else "",
        tier=freeze.tier,
        starts_at=moment_text(freeze.starts_at),
        ends_at=moment_text(freeze.ends_at),
    )
    return freeze


def _check_system(system: System | None, institution: Institution | None) -> None:
    if system is not None and institution is not None and system.institution_id != institution.pk:
        raise InvalidInput(_("The system belongs to another institution."))


def _require(actor: User, row: ChangeWindow | ExtraHoliday | Freeze, roles: tuple[Role, ...]) -> None:
    """For the institution that it is of now, and for the one that it was of."""
    require_role(actor, roles, row.institution)
    if row.pk is not None:
        before = type(row)._default_manager.select_for_update(of=("self",)).select_related("institution").get(pk=row.pk)
        require_role(actor, roles, before.institution)


def _save(row: models.Model) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages)) from error
    row.save()
    # What waits is looked at again: by the next sweep, with the new rules.
    OpsTask.objects.filter(status=TaskStatus.SCHEDULED).update(expected_start=None)
