"""Contacts are for those who work on a request; logs and events hold none for anybody."""

import json
import logging

import pytest
from django.db import transaction

from accounts.choices import Role
from accounts.contacts import REACHING
from execution.live.events import append_event
from execution.models import RunEvent
from execution.rollout.start_run import start_run
from guardia.common.logs import JsonFormatter, MaskingFilter
from tests.doors import api, browser
from tests.factories import Tenant, make_user
from tickets.models import OpsTask

PHONE, MAIL, SECRET = "010-1234-5678", "hong@korea.kr", "hunter2!"
TEXT = f"예산시스템 WAS 상태 점검, 문의 {PHONE} {MAIL}, password={SECRET}"


@pytest.mark.django_db
def test_the_request_shows_contacts_to_its_author_and_to_who_works_on_it() -> None:
    tenant = Tenant(servers=1)
    task = tenant.file(text=f"{tenant.system.name} WAS 상태 점검해 주세요. 문의 {PHONE} {MAIL}, password={SECRET}")
    assert PHONE in OpsTask.objects.get(pk=task.pk).text and SECRET not in OpsTask.objects.get(pk=task.pk).text
    readers = {role: make_user(role, tenant.institution) for role in Role}
    for role, person in [*readers.items(), (None, tenant.site_manager)]:
        page = browser(person).get(f"/tasks/{task.task_id}/").content.decode()
        told = api(person).get(f"/api/v1/task/history/{task.task_id}").json()["task"]["text"]
        may_see = role in REACHING or person == tenant.site_manager
        for shown in (page, told):
            assert "상태 점검" in shown and SECRET not in shown
            assert (PHONE in shown, MAIL in shown) == (may_see, may_see), role


@pytest.mark.django_db
def test_events_hold_neither_secrets_nor_contacts() -> None:
    tenant = Tenant(servers=1)
    task, _plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    with transaction.atomic():
        append_event(run, "step_done", None, host="was-01", output=TEXT, error=TEXT, reason=TEXT)
    data = RunEvent.objects.filter(run=run, kind="step_done").latest("pk").data
    assert data["host"] == "was-01" and "상태 점검" in data["output"]
    assert not any(word in json.dumps(data, ensure_ascii=False) for word in (PHONE, MAIL, SECRET))


def test_log_lines_hold_neither_secrets_nor_contacts() -> None:
    try:
        raise ValueError(TEXT)
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "x.py", 1, "said %s", (TEXT,), (ValueError, error, error.__traceback__)
        )
    MaskingFilter().filter(record)
    line = JsonFormatter().format(record)
    assert "상태 점검" in line and not any(word in line for word in (PHONE, MAIL, SECRET))
