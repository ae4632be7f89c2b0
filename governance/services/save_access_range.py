from ipaddress import ip_network

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from governance.models import AccessRange
from governance.services.accounts import require_administrator
from governance.services.bastion import ranges_for
from guardia.common.context import current_trace
from guardia.common.errors import InvalidInput


@refusals_recorded
@transaction.atomic
def save_access_range(*, actor: User, access_range: AccessRange) -> AccessRange:
    """Add or change a network from which administrators and approvers may act. Administrators only.

    Raises InvalidInput for what is no network, and for a list that would lock the actor out.
    """
    require_administrator(actor, access_range.institution)
    if access_range.pk is not None:
        before = (
            AccessRange.objects.select_for_update(of=("self",)).select_related("institution").get(pk=access_range.pk)
        )
        require_administrator(actor, before.institution)
    try:
        access_range.cidr = str(ip_network(access_range.cidr.strip(), strict=False))
    except ValueError as error:
        raise InvalidInput(_("This is not a network: %(cidr)s.") % {"cidr": access_range.cidr[:49]}) from error
    try:
        access_range.full_clean()
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages)) from error
    access_range.save()
    _check_actor_stays_in(access_range)
    record(
        action="access_range.saved",
        actor=actor,
        institution=access_range.institution,
        subject=access_range,
        cidr=access_range.cidr,
        is_active=access_range.is_active,
    )
    return access_range


def _check_actor_stays_in(access_range: AccessRange) -> None:
    address, ranges = current_trace().source_ip, ranges_for(access_range.institution)
    if address and ranges and not any(row.holds(address) for row in ranges):
        raise InvalidInput(
            _("You are at %(address)s: with these networks you could do nothing any more. Add your own first.")
            % {"address": address}
        )
