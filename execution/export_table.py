"""The rows of a query as CSV, for those who may have them; who took them is in the chain."""

import csv
import io

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role, visible_to
from audit.services import record
from execution.models import ResultTable
from guardia.common.errors import NotPermitted, NotVisible

_MAY_EXPORT = (Role.TEAM_LEAD, Role.PM)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@transaction.atomic
def export_table(*, actor: User, task_id: str, table_pk: int) -> bytes:
    """The rows as UTF-8 CSV with a mark that spreadsheets know. The requester, team leads and PMs only.

    Raises NotVisible and NotPermitted. A field that a spreadsheet would compute gets an apostrophe before it.
    """
    rows = visible_to(ResultTable.objects.select_related("step__host_run__wave__run__task__institution"), actor)
    table = rows.filter(pk=table_pk, step__host_run__wave__run__task__task_id=task_id).first()
    if table is None:
        raise NotVisible
    task = table.step.host_run.wave.run.task
    is_allowed = actor.is_superuser or task.requester_id == actor.pk
    if not (is_allowed or holds_role(actor, _MAY_EXPORT, task.institution_id)):
        raise NotPermitted(_("The requester, team leads and project managers may export the rows."))
    record(
        action="table.exported",
        actor=actor,
        institution=task.institution,
        subject=table,
        task_id=task.task_id,
        rows=len(table.rows),
        is_masked=table.is_masked,
        digest=table.digest,
    )
    return _as_csv(table)


def _as_csv(table: ResultTable) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in [table.columns, *table.rows]:
        writer.writerow(["" if value is None else _plain(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def _plain(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
