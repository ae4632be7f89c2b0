from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import System
from governance.models import SystemOwner
from governance.selectors_authority import deciders_in
from governance.services.accounts import refuse_oneself, require_administrator
from guardia.common.errors import InvalidInput

LONGEST_SLA_MINUTES = 7 * 24 * 60


@refusals_recorded
@transaction.atomic
def name_owner(
    *,
    actor: User,
    system: System,
    owner: User,
    deputy: User | None = None,
    supervisor: User | None = None,
    sla_minutes: int = 10,
    is_active: bool = True,
) -> SystemOwner:
    """Say who answers for a system, who after them, and how many minutes each has. Administrators only, and
    never themselves.

    Inactive: the team leads of the institution are asked instead. Raises NotPermitted, OutsideBastion, and InvalidInput
    for no time at all, for who can't decide there, and for one person on two levels.
    """
    require_administrator(actor, system.institution)
    for person in (owner, deputy, supervisor):
        if person is not None:
            refuse_oneself(actor, person, system.institution)
    if not 1 <= sla_minutes <= LONGEST_SLA_MINUTES:
        limit = {"limit": LONGEST_SLA_MINUTES}
        raise InvalidInput(_("Each level needs at least a minute to answer, and at most %(limit)s.") % limit)
    _check_people(system, [person for person in (owner, deputy, supervisor) if person is not None])
    ownership, _is_new = SystemOwner.objects.update_or_create(
        system=system,
        defaults={
            "owner": owner,
            "deputy": deputy,
            "supervisor": supervisor,
            "sla_minutes": sla_minutes,
            "is_active": is_active,
        },
    )
    record(
        action="owner.named",
        actor=actor,
        institution=system.institution,
        subject=ownership,
        system=system.code,
        sla_minutes=sla_minutes,
        is_active=is_active,
        people=[person.get_username() for person in ownership.people()],
    )
    return ownership


def _check_people(system: System, people: list[User]) -> None:
    if len({person.pk for person in people}) < len(people):
        raise InvalidInput(_("Each level needs another person."), code="same_person")
    able = deciders_in(system.institution)
    strangers = [person for person in people if not able.filter(pk=person.pk).exists()]
    if strangers:
        names = ", ".join(str(person) for person in strangers)
        raise InvalidInput(_("No approver of this institution: %(names)s.") % {"names": names}, code="wrong_person")
