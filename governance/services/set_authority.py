from django.db import transaction

from accounts.choices import Authority
from accounts.models import Membership, User
from audit.refusals import refusals_recorded
from audit.services import record
from governance.services.accounts import lock_membership


@refusals_recorded
@transaction.atomic
def set_authority(*, actor: User, membership_pk: int, authority: Authority) -> Membership:
    """Make a membership's holder an approver or a viewer. Administrators only, never for oneself.

    Raises NotVisible, NotPermitted, OutsideBastion.
    """
    membership = lock_membership(membership_pk, actor)
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
