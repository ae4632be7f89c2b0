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


@refusals_recorded
@transaction.atomic
def choose_playbook(*, actor: User, system: System, playbook: Playbook, is_newest: bool = False) -> None:
    """This version serves its kind of work on the system from now on; `is_newest`: the newest published one does again.

    Plans that were approved with another version go back to their approvers when they would start. Raises NotPermitted,
    OutsideBastion.
    """
    if not (actor.is_superuser or holds_role(actor, Role.OPERATOR, system.institution_id)):
        names = who_hold([Role.OPERATOR], system.institution_id)
        raise NotPermitted(_("Playbooks of %(system)s are chosen by: %(names)s.") % {"system": system, "names": names})
    require_bastion(actor=actor, institution=system.institution)
    rows = PlaybookChoice.objects.filter(system=system, sub_type=playbook.sub_type)
    if is_newest:
        rows.delete()
    else:
        PlaybookChoice.objects.update_or_create(
            system=system, sub_type=playbook.sub_type, defaults={"playbook": playbook}
        )
    record(
        action="playbook.chosen",
        actor=actor,
        institution=system.institution,
        subject=system,
        summary="" if is_newest else str(playbook),
        sub_type=playbook.sub_type,
        digest="" if is_newest else playbook.digest,
    )
