from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role, visible_to
from accounts.who import who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from execution.models import CoreLog
from governance.services.bastion import require_bastion
from guardia.common.errors import NotPermitted, NotVisible

READERS = (Role.PM, Role.OPERATOR, Role.TEAM_LEAD, Role.SECURITY_OFFICER)


@refusals_recorded
@transaction.atomic
def open_core_log(*, actor: User, task_id: str, log_pk: int) -> CoreLog:
    """A core log that a failed run kept, for those who look after the system; who took it is in the chain.

    Raises NotVisible, NotPermitted, OutsideBastion.
    """
    rows = visible_to(
        CoreLog.objects.select_related("host_run__server", "host_run__wave__run__task__institution"), actor
    )
    log = rows.filter(pk=log_pk, host_run__wave__run__task__task_id=task_id).first()
    if log is None:
        raise NotVisible
    task = log.host_run.wave.run.task
    if not (actor.is_superuser or holds_role(actor, READERS, task.institution_id)):
        names = who_hold(READERS, task.institution_id, but={actor.pk})
        raise NotPermitted(_("These people may read the logs of servers: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=task.institution)
    record(
        action="log.opened",
        actor=actor,
        institution=task.institution,
        subject=log,
        task_id=task.task_id,
        server=log.host_run.server.hostname,
        path=log.path,
        output_sha256=log.sha256,
    )
    return log
