"""Filing and completing a task by its services: what is understood, what is asked for, what is refused."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from audit.models import Entry
from execution.plan.prepare import prepare_plan
from guardia.common.errors import GuardiaError
from tests.factories import Tenant, make_institution, make_server, make_system, make_user
from tests.queue import waiting
from tests.snapshot import nothing_changes
from tickets.choices import Channel
from tickets.models import OpsTask
from tickets.services.add_information import add_information
from tickets.services.file_task import file_task

pytestmark = pytest.mark.django_db


def filed(tenant: Tenant, text: str, **options: Any) -> OpsTask:
    return file_task(actor=options.pop("actor", tenant.site_manager), text=text, channel=Channel.PORTAL, **options)


@pytest.mark.django_db(transaction=True)
def test_a_filed_task_is_parsed_told_and_planned_after_commit() -> None:
    tenant = Tenant()
    with transaction.atomic():
        task = filed(tenant, f"{tenant.system.name} WAS 전체 재기동해 주세요")
        assert waiting() == []
    assert (task.status, task.category, task.sub_type) == ("PAR", "INFRA_CONTROL", "SERVICE_RESTART")
    assert set(task.servers.all()) == set(tenant.servers) and task.institution == tenant.institution
    assert waiting() == [("execution.tasks.prepare_plan", (task.pk,))]
    actions = Entry.objects.filter(task_id=task.task_id).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["task.received", "task.parsed"]


def test_what_is_missing_is_asked_for_and_then_understood() -> None:
    tenant = Tenant()
    task = filed(tenant, f"{tenant.system.name} WAS 전체에 배포해 주세요")
    assert (task.status, task.needs_info) == ("INF", ["artifact"])
    assert [n.kind for n in tenant.site_manager.notifications.all()] == ["info_needed"]
    task = add_information(
        actor=tenant.site_manager, task_id=task.task_id, artefact=SimpleUploadedFile("app.war", b"bytes")
    )
    assert (task.status, task.needs_info) == ("PAR", [])
    assert prepare_plan(task.pk) is not None


def test_a_text_that_asks_for_nothing_stays_with_the_requester() -> None:
    tenant = Tenant()
    task = filed(tenant, "안녕하세요")
    assert task.status == "INF" and task.needs_info
    task = add_information(actor=tenant.site_manager, task_id=task.task_id, text="감사합니다")
    assert task.status == "INF" and task.text == "안녕하세요\n감사합니다"


def test_information_is_the_requesters_to_add_while_it_is_asked_for() -> None:
    tenant, stranger = Tenant(), Tenant()
    asking = filed(tenant, f"{tenant.system.name} WAS 전체에 배포해 주세요")
    parsed = filed(tenant, f"{tenant.system.name} WAS 전체 재기동해 주세요")
    vague = filed(tenant, "안녕하세요")
    cases: list[tuple[Any, OpsTask, str, str, int]] = [
        (tenant.pm, asking, "더", "not_permitted", 403),
        (stranger.site_manager, asking, "더", "not_found", 404),
        (tenant.site_manager, parsed, "더", "not_in_that_state", 409),
        (tenant.site_manager, asking, " ", "empty_request", 400),
        (tenant.site_manager, asking, "가" * 10_000, "too_long", 400),
        (tenant.site_manager, vague, f"{stranger.system.name} WAS 재기동", "not_your_system", 403),
    ]
    for actor, task, text, code, status in cases:
        with nothing_changes(), pytest.raises(GuardiaError) as refused, transaction.atomic():
            add_information(actor=actor, task_id=task.task_id, text=text)
        assert (refused.value.code, refused.value.http_status) == (code, status), text[:20]


def test_bad_requests_are_refused_and_change_nothing() -> None:
    tenant, stranger = Tenant(), Tenant()
    second = make_server(make_system(tenant.institution))
    inactive = make_server(tenant.system, is_active=False)
    nobody = make_user()
    retired = make_user(is_active=False)
    text = f"{tenant.system.name} WAS 재기동해 주세요"
    cases: list[tuple[str, dict[str, Any]]] = [
        ("empty_request", {"text": ""}),
        ("empty_request", {"text": "\x00 \n"}),
        ("too_long", {"text": "가" * 10_001}),
        ("unknown_server", {"text": text, "hostnames": ["없는서버"]}),
        ("unknown_server", {"text": text, "hostnames": [inactive.hostname]}),
        ("unknown_server", {"text": text, "hostnames": [stranger.servers[0].hostname]}),
        ("unknown_server", {"text": text, "hostnames": [tenant.servers[0].hostname, second.hostname]}),
        ("unknown_server", {"text": text, "system_code": tenant.system.code, "hostnames": [second.hostname]}),
        ("unknown_system", {"text": text, "system_code": "NOWHERE"}),
        ("unknown_system", {"text": text, "system_code": stranger.system.code}),
        ("not_your_system", {"text": f"{stranger.system.name} WAS 재기동해 주세요"}),
        ("not_permitted", {"text": "재기동", "actor": nobody}),
        ("not_permitted", {"text": "재기동", "actor": retired}),
    ]
    for code, options in cases:
        with nothing_changes(), pytest.raises(GuardiaError) as refused:
            filed(tenant, **options)
        assert refused.value.code == code, options


def test_the_same_words_mean_the_system_of_who_says_them() -> None:
    """Two institutions may call a system by one name; each means its own."""
    mine, theirs = make_institution(), make_institution()
    systems = {inst: make_system(inst, name="통합자료관리시스템") for inst in (mine, theirs)}
    for institution, system in systems.items():
        make_server(system)
        manager = make_user("SITE_MANAGER", institution)  # type: ignore[arg-type]
        task = file_task(actor=manager, text="통합자료관리시스템 WAS 재기동해 주세요", channel=Channel.PORTAL)
        assert task.institution == institution
        assert task.system in (system, None), "never the other's"
