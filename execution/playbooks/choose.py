from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role
from accounts.who import who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import System
from execution.models import Playbook, PlaybookChoice
from governance.services.bastion import require_bastion
from guardia.common.errors import NotPermitted


def may_choose(user: User, system: System) -> bool:
    return user.is_superuser or holds_role(user, Role.OPERATOR, system.institution_id)


@refusals_recorded
@transaction.atomic
def choose_playbook(*, actor: User, system: System, playbook: Playbook, is_newest: bool = False) -> None:
    """This version serves its kind of work on the system from now on; `is_newest`: the newest published one does again.

    Plans that were approved with another version go back to their approvers when they would start. What serves already
    is left as it is. Raises NotPermitted, OutsideBastion.
    """
    if not may_choose(actor, system):
        names = who_hold([Role.OPERATOR], system.institution_id)
        raise NotPermitted(_("Playbooks of %(system)s are chosen by: %(names)s.") % {"system": system, "names": names})
    require_bastion(actor=actor, institution=system.institution)
    row = PlaybookChoice.objects.select_for_update().filter(system=system, sub_type=playbook.sub_type).first()
    former, chosen = (row.playbook if row is not None else None), (None if is_newest else playbook)
    if former == chosen:
        return
    if chosen is not None:
        PlaybookChoice.objects.update_or_create(
            system=system, sub_type=playbook.sub_type, defaults={"playbook": chosen, "former": former}
        )
    elif row is not None:
        row.delete()
    record(
        action="playbook.chosen",
        actor=actor,
        institution=system.institution,
        subject=system,
        summary=str(chosen) if chosen is not None else "",
        sub_type=playbook.sub_type,
        digest=chosen.digest if chosen is not None else "",
        former_digest=former.digest if former is not None else "",
    )
