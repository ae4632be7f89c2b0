"""Rows of a query leave by one door: for those who may, harmless to a spreadsheet, with an entry in the chain."""

import pytest

from accounts.choices import Role
from audit.models import Entry
from execution.export_table import export_table
from execution.models import HostRun, ResultTable, StepResult
from execution.rollout.start_run import start_run
from guardia.common.errors import NotPermitted, NotVisible
from tests.factories import Tenant, make_user

pytestmark = pytest.mark.django_db


def test_rows_are_exported_by_those_who_may() -> None:
    tenant = Tenant(servers=1)
    task, _plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    step = StepResult.objects.create(
        host_run=HostRun.objects.get(wave__run=run), phase="APPLY", order=1, name="sql_query"
    )
    rows = [["=cmd|'/C calc'!A0", "a,b"], [None, 'say "hi"']]
    table = ResultTable.objects.create(
        step=step, columns=["값", "@x"], rows=rows, is_complete=True, is_masked=True, digest="d" * 64
    )
    for person in (tenant.site_manager, tenant.owner, tenant.pm):
        content = export_table(actor=person, task_id=task.task_id, table_pk=table.pk).decode("utf-8-sig")
        assert content == '값,\'@x\r\n\'=cmd|\'/C calc\'!A0,"a,b"\r\n,"say ""hi"""\r\n'
    assert Entry.objects.filter(body__contains="table.exported").count() == 3
    for role in (Role.AUDITOR, Role.SITE_MANAGER, Role.OPERATOR):
        with pytest.raises(NotPermitted):
            export_table(actor=make_user(role, tenant.institution), task_id=task.task_id, table_pk=table.pk)
    with pytest.raises(NotVisible):
        export_table(actor=Tenant(servers=0).pm, task_id=task.task_id, table_pk=table.pk)
    assert Entry.objects.filter(body__contains="table.exported").count() == 3
