from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import record
from cmdb.models import System
from governance.models import SystemOwner
from governance.services.accounts import refuse_oneself, require_administrator
from governance.services.bastion import refusals_recorded
from guardia.common.errors import InvalidInput


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

    Inactive: the team leads of the institution are asked instead. Raises InvalidInput for no time at all.
    """
    require_administrator(actor, system.institution)
    for person in (owner, deputy, supervisor):
        if person is not None:
            refuse_oneself(actor, person, system.institution)
    if sla_minutes < 1:
        raise InvalidInput(_("Each level needs at least a minute to answer."))
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
