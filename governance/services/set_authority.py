from django.db import transaction

from accounts.choices import Authority
from accounts.models import Membership, User
from audit.services import record
from governance.services.accounts import require_administrator
from guardia.common.errors import NotPermitted


@transaction.atomic
def set_authority(*, actor: User, membership_pk: int, authority: Authority) -> Membership:
    """Make a membership's holder an approver or a viewer. Administrators only, never for oneself."""
    membership = (
        Membership.objects.select_for_update(of=("self",)).select_related("user", "institution").get(pk=membership_pk)
    )
    require_administrator(actor, membership.institution)
    if actor.pk == membership.user_id:
        raise NotPermitted
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
