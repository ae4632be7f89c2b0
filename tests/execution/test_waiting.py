"""Approved work that waits: for its time, for the other nodes of its group, or for people because it can't go on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from execution.models import HostLock, Run
from execution.rollout.start_run import start_run
from governance.exceptions import SelfApproval
from governance.services.release_task import release_task
from guardia.common.clock import now
from guardia.common.errors import NotPermitted
from tests.factories import Tenant, make_server
from tickets.exceptions import NotInThatState
from tickets.models import OpsTask
from tickets.services.file_task import file_task

pytestmark = pytest.mark.django_db


def status_of(task: OpsTask) -> tuple[str, str]:
    fresh = OpsTask.objects.get(pk=task.pk)
    return fresh.status, fresh.reason


def test_what_was_asked_for_at_a_time_starts_when_somebody_says_so() -> None:
    tenant = Tenant()
    task, _plan = tenant.approved(text=f"오늘 야간에 {tenant.system.name} WAS 전체에 2.1.0 배포해 주세요")
    assert start_run(task.pk) is None
    status, reason = status_of(task)
    assert status == "APP" and "야간" in reason
    for actor, error in ((tenant.site_manager, SelfApproval), (tenant.security, NotPermitted)):
        with pytest.raises(error):
            release_task(actor=actor, task_id=task.task_id)
    assert start_run(task.pk) is None
    release_task(actor=tenant.pm, task_id=task.task_id)
    with pytest.raises(NotInThatState):
        release_task(actor=tenant.owner, task_id=task.task_id)
    assert start_run(task.pk) is not None


def test_what_was_asked_for_at_a_certain_time_waits_for_it_and_starts_by_itself() -> None:
    tenant = Tenant()
    day = timezone.localtime() + timedelta(days=3)
    text = f"{day.month}월 {day.day}일 22:00에 {tenant.system.name} WAS 전체에 2.1.0 배포해 주세요"
    task, _plan = tenant.approved(text=text)
    assert start_run(task.pk) is None
    task = OpsTask.objects.get(pk=task.pk)
    asked = day.replace(hour=22, minute=0, second=0, microsecond=0)
    assert (task.status, task.scheduled_for, task.expected_start) == ("SCH", asked, asked)
    OpsTask.objects.filter(pk=task.pk).update(scheduled_for=now())  # the hour has come
    assert start_run(task.pk) is not None


def test_a_run_waits_for_the_other_nodes_of_its_redundancy_group() -> None:
    tenant = Tenant(servers=1, redundancy_group="pair")
    first, _plan = tenant.approved()
    other = make_server(tenant.system, redundancy_group="pair", site=tenant.servers[0].site)
    alone = make_server(tenant.system, site=tenant.servers[0].site)
    running = start_run(first.pk)
    assert running is not None
    tenant.servers = [other]
    second, _plan = tenant.approved()
    assert start_run(second.pk) is None and status_of(second)[0] == "APP"
    tenant.servers = [alone]
    third, _plan = tenant.approved()
    assert start_run(third.pk) is not None, "a server outside the group is free"
    HostLock.objects.filter(run=running).delete()
    assert start_run(second.pk) is not None


def test_what_can_no_longer_be_planned_goes_to_people_and_they_are_told() -> None:
    tenant = Tenant(servers=1)
    task, _plan = tenant.approved()
    tenant.servers[0].is_active = False
    tenant.servers[0].save()
    assert start_run(task.pk) is None
    assert status_of(task)[0] == "MAN" and not Run.objects.exists()
    for person in (tenant.site_manager, tenant.owner, tenant.pm):
        assert person.notifications.filter(kind="manual_needed").count() == 1, person


def test_a_dead_end_before_any_approval_is_told_too() -> None:
    tenant = Tenant(servers=1)
    task = file_task(
        actor=tenant.site_manager,
        text=f"{tenant.system.name} {tenant.servers[0].hostname} 재부팅 부탁드립니다",
        channel="portal",  # type: ignore[arg-type]
    )
    from execution.plan.prepare import prepare_plan

    type(tenant.servers[0]).objects.update(is_active=False)
    assert prepare_plan(task.pk) is None
    assert status_of(task)[0] == "MAN"
    assert tenant.site_manager.notifications.filter(kind="manual_needed").exists()
