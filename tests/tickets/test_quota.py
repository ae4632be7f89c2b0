"""Quotas of requests and of files, for a user and for an institution: exact under races, told with how room comes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F

from accounts.choices import Role
from accounts.models import User
from governance.services.withdraw_task import withdraw_task
from tests.doors import INTAKE, api, assert_refused, browser
from tests.factories import Tenant, make_user
from tests.snapshot import nothing_changes
from tests.threads import race
from tickets.choices import Channel
from tickets.exceptions import QuotaExceeded
from tickets.models import Artefact, OpsTask
from tickets.services.add_information import add_information
from tickets.services.file_task import file_task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
MIB = 1024 * 1024


def ask(tenant: Tenant, actor: User | None = None) -> OpsTask:
    return file_task(
        actor=actor or tenant.site_manager, text=f"{tenant.system.name} 상태 점검해 주세요", channel=Channel.API
    )


def stored(settings: Any) -> list[Path]:
    return [path for path in Path(settings.GUARDIA_ARTEFACTS).rglob("*") if path.is_file() and path.name != ".lock"]


def a_day_earlier() -> None:
    OpsTask.objects.update(created_at=F("created_at") - timedelta(days=1))
    Artefact.objects.update(created_at=F("created_at") - timedelta(days=1))


@pytest.mark.parametrize("setting", ["GUARDIA_QUOTA_USER_REQUESTS", "GUARDIA_QUOTA_REQUESTS"])
def test_requests_of_a_day_are_counted(setting: str, settings: Any) -> None:
    setattr(settings, setting, 2)
    tenant, other = Tenant(), Tenant()
    colleague = make_user(Role.SITE_MANAGER, tenant.institution)
    ask(tenant)
    ask(tenant)
    with nothing_changes():
        refusal = assert_refused(
            api(tenant.site_manager).post(INTAKE, {"text": f"{tenant.system.name} 점검"}, format="json"),
            429,
            "quota_requests",
        )
    assert "2 requests" in refusal["message"] and "midnight" in refusal["message"]
    ask(other)
    if setting == "GUARDIA_QUOTA_USER_REQUESTS":
        ask(tenant, colleague)
    else:
        with pytest.raises(QuotaExceeded):
            ask(tenant, colleague)
    a_day_earlier()
    ask(tenant)


def test_what_was_filed_before_is_answered_beyond_the_quota(settings: Any) -> None:
    settings.GUARDIA_QUOTA_USER_REQUESTS = 1
    tenant = Tenant()
    wish: dict[str, Any] = {"text": f"{tenant.system.name} 점검해 주세요", "channel": Channel.API, "key": "one"}
    first = file_task(actor=tenant.site_manager, **wish)
    assert file_task(actor=tenant.site_manager, **wish) == first


@pytest.mark.parametrize("setting", ["GUARDIA_QUOTA_USER_MIB", "GUARDIA_QUOTA_MIB"])
def test_files_of_what_is_open_or_of_today_are_held(setting: str, settings: Any) -> None:
    setattr(settings, setting, 1)
    tenant = Tenant()
    first = tenant.file(content=b"a" * (MIB - 10))
    before = stored(settings)
    with nothing_changes(), pytest.raises(QuotaExceeded) as refused:
        tenant.file(content=b"b" * 11)
    assert "1 MiB" in str(refused.value) and "withdrawn" in str(refused.value)
    assert stored(settings) == before, "refused before it was stored"
    tenant.file(content=b"c" * 10)
    a_day_earlier()
    with pytest.raises(QuotaExceeded):
        tenant.file(content=b"d" * MIB)
    for task in OpsTask.objects.all():
        withdraw_task(actor=tenant.site_manager, task_id=task.task_id, reason="다음에")
    tenant.file(content=b"d" * MIB)
    assert first.artefacts.exists(), "what ended keeps its file"


def test_withdrawing_does_not_make_room_on_the_same_day(settings: Any) -> None:
    settings.GUARDIA_QUOTA_USER_MIB = 1
    tenant = Tenant()
    task = tenant.file(content=b"a" * MIB)
    withdraw_task(actor=tenant.site_manager, task_id=task.task_id, reason="다음에")
    with pytest.raises(QuotaExceeded):
        tenant.file(content=b"b")


def test_a_file_that_is_added_counts_too_and_the_page_says_why(settings: Any) -> None:
    settings.GUARDIA_QUOTA_MIB = 1
    tenant = Tenant()
    tenant.file(content=b"a" * MIB)
    task = file_task(
        actor=tenant.site_manager, text=f"{tenant.system.name} WAS 전체에 배포해 주세요", channel=Channel.API
    )
    with nothing_changes(), pytest.raises(QuotaExceeded):
        add_information(
            actor=tenant.site_manager, task_id=task.task_id, artefact=SimpleUploadedFile("app.war", b"b" * 10)
        )
    form = {
        "text": f"{tenant.system.name} WAS 전체에 배포해 주세요",
        "artefact": SimpleUploadedFile("app.war", b"b"),
        "key": "k",
    }
    response = browser(tenant.site_manager).post("/tasks/new/", form)
    assert response.status_code == 400 and "1 MiB" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_last_room_is_taken_once(settings: Any) -> None:
    settings.GUARDIA_QUOTA_REQUESTS = 3
    tenant = Tenant()
    people = [make_user(Role.SITE_MANAGER, tenant.institution) for _person in range(6)]
    outcomes = race([lambda person=person: ask(tenant, person) for person in people], QuotaExceeded)
    assert sum(isinstance(outcome, OpsTask) for outcome in outcomes) == 3 == OpsTask.objects.count()


@pytest.mark.django_db(transaction=True)
def test_the_last_bytes_are_taken_once(settings: Any) -> None:
    settings.GUARDIA_QUOTA_MIB = 3
    tenant = Tenant()
    outcomes = race(
        [lambda mark=mark: tenant.file(content=mark * MIB) for mark in (b"a", b"b", b"c", b"d", b"e")], QuotaExceeded
    )
    assert sum(isinstance(outcome, OpsTask) for outcome in outcomes) == 3 == Artefact.objects.count()


def test_zero_is_no_quota(settings: Any) -> None:
    for name in ("USER_REQUESTS", "REQUESTS", "USER_MIB", "MIB"):
        setattr(settings, f"GUARDIA_QUOTA_{name}", 0)
    Tenant().file()
