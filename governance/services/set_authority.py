from django.db import transaction

from accounts.choices import Authority
from accounts.models import Membership, User
from audit.services import record
from governance.services.accounts import refuse_oneself, require_administrator
from governance.services.bastion import refusals_recorded


@refusals_recorded
@transaction.atomic
def set_authority(*, actor: User, membership_pk: int, authority: Authority) -> Membership:
    """Make a membership's holder an approver or a viewer. Administrators only, never for oneself."""
    membership = (
        Membership.objects.select_for_update(of=("self",)).select_related("user", "institution").get(pk=membership_pk)
    )
    require_administrator(actor, membership.institution)
    refuse_oneself(actor, membership.user, membership.institution)
    if membership.authority == authority:
        return membership
    before, membership.authority = membership.authority, authority
    membership.save(update_fields=["authority"])
    record(
        action="authority.changed",
        actor=actor,
        institution=membership.institution,
        subject=membership,
        user=membership.user.get_username(),
        role=membership.role,
        **{"from": before, "to": authority.value},
    )
    return membership
