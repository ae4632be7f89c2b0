import pytest

from tests.factories import Tenant
from tests.queue import run_queue


@pytest.mark.django_db(transaction=True)
def test_filing_wakes_the_planner_and_asks_the_owner() -> None:
    tenant = Tenant()
    task = tenant.file()
    ran = run_queue()
    task = type(task).objects.get(pk=task.pk)
    assert ran == ["execution.tasks.prepare_plan"], task.reason
    assert task.status == "PEN", task.reason
    assert [n.kind for n in tenant.owner.notifications.all()] == ["approval_requested"]
