"""One submission is one task; what was named beside the text counts, and may not contradict it."""

import pytest

from accounts.choices import Role
from guardia.common.errors import GuardiaError
from tests.factories import Tenant, make_user
from tests.threads import race
from tickets.choices import Channel
from tickets.models import OpsTask
from tickets.services.add_information import add_information
from tickets.services.file_task import file_task

pytestmark = pytest.mark.django_db


def test_the_same_key_is_the_same_task() -> None:
    tenant = Tenant()
    request = {"text": f"{tenant.system.name} 재기동", "channel": Channel.PORTAL, "key": "tap-1"}
    first, again = (file_task(actor=tenant.site_manager, **request) for _ in range(2))
    other = file_task(actor=tenant.owner, **request)
    assert first.pk == again.pk != other.pk, "a key is its sender's own"


@pytest.mark.django_db(transaction=True)
def test_four_taps_at_once_make_one_task() -> None:
    tenant = Tenant()

    def tap() -> OpsTask:
        return file_task(
            actor=tenant.site_manager, text=f"{tenant.system.name} 재기동", channel=Channel.PORTAL, key="tap"
        )

    race([tap] * 4)
    assert OpsTask.objects.count() == 1


def test_a_named_system_completes_the_text_and_is_remembered() -> None:
    tenant = Tenant()
    task = file_task(
        actor=tenant.site_manager,
        text="WAS 재기동 부탁드립니다",
        channel=Channel.API,
        system_code=tenant.system.code,
        hostnames=[tenant.servers[0].hostname],
    )
    assert (task.status, task.system, list(task.servers.all())) == ("PAR", tenant.system, tenant.servers[:1])
    vague = file_task(
        actor=tenant.site_manager, text="확인 부탁드립니다", channel=Channel.API, system_code=tenant.system.code
    )
    assert vague.status == "INF"
    known = add_information(
        actor=tenant.site_manager, task_id=vague.task_id, text=f"{tenant.servers[1].hostname} 재기동해 주세요"
    )
    assert (known.status, known.system) == ("PAR", tenant.system)


def test_hosts_are_asked_for_where_the_work_needs_them() -> None:
    tenant = Tenant()
    task = file_task(
        actor=tenant.site_manager, text=f"{tenant.system.name} 재기동 부탁드립니다", channel=Channel.PORTAL
    )
    assert (task.status, task.needs_info) == ("INF", ["servers"])


def test_a_contradiction_is_refused() -> None:
    tenant, other = Tenant(), Tenant()
    everywhere = make_user(Role.OPERATOR)
    with pytest.raises(GuardiaError) as refusal:
        file_task(
            actor=everywhere,
            text=f"{other.system.name} WAS 재기동",
            channel=Channel.API,
            hostnames=[tenant.servers[0].hostname],
        )
    assert refusal.value.code == "contradicting_system"
    assert not OpsTask.objects.exists()


@pytest.mark.parametrize(
    ("role", "everywhere", "code"), [(Role.AUDITOR, False, "not_permitted"), (Role.OPERATOR, True, "which_institution")]
)
def test_who_may_not_file_or_must_say_where(role: Role, everywhere: bool, code: str) -> None:
    tenant = Tenant()
    Tenant()
    actor = make_user(role, None if everywhere else tenant.institution)
    with pytest.raises(GuardiaError) as refusal:
        file_task(actor=actor, text="점검 부탁드립니다", channel=Channel.PORTAL)
    assert refusal.value.code == code
    assert not OpsTask.objects.exists()


def test_a_secret_in_a_request_is_masked_before_it_is_kept() -> None:
    tenant = Tenant()
    task = file_task(
        actor=tenant.site_manager,
        text=f"{tenant.servers[0].hostname} 재기동. 비밀번호: Abcd1234!",
        channel=Channel.PORTAL,
    )
    assert "Abcd1234" not in OpsTask.objects.get(pk=task.pk).text
