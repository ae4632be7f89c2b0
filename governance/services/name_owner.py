from django.db import transaction

from accounts.models import User
from audit.services import record
from cmdb.models import System
from governance.models import SystemOwner
from governance.services.accounts import require_administrator
from governance.services.bastion import refusals_recorded


@refusals_recorded
@transaction.atomic
def name_owner(
    *, actor: User, system: System, owner: User, deputy: User | None = None, supervisor: User | None = None
) -> SystemOwner:
    """Say who answers for a system, and who after them. Administrators only."""
    require_administrator(actor, system.institution)
    ownership, _is_new = SystemOwner.objects.update_or_create(
        system=system, defaults={"owner": owner, "deputy": deputy, "supervisor": supervisor, "is_active": True}
    )
    record(
        action="owner.named",
        actor=actor,
        institution=system.institution,
        subject=ownership,
        system=system.code,
        people=[person.get_username() for person in ownership.people()],
    )
    return ownership
