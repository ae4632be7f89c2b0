"""The pages of policies: what they show is what the real thing does, and their forms call the same services."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from cmdb.choices import Tier
from governance.models import ApprovalPolicy, ApprovalStep, PolicyChange, StandingApproval, SystemOwner
from governance.preview import people_of, preview_of
from tests.doors import browser
from tests.factories import Tenant, make_user, stand
from tests.guardia.test_pages import read, signed_in
from tickets.choices import SubType

pytestmark = pytest.mark.django_db


def asked(tenant: Tenant, sub_type: str) -> list[Any]:
    groups = preview_of(tenant.system, Tier.STANDARD, people_of(tenant.system))
    (preview,) = (row for _category, rows in groups for row in rows if row.sub_type == sub_type)
    return [step.question.person for step in preview.steps]


@pytest.mark.parametrize(
    "text", ["WAS 전체에 2.1.0 배포해 주세요", "WAS 전체 재기동 부탁드립니다", "WAS 상태 점검해 주세요"]
)
def test_the_preview_promises_what_a_real_task_gets(text: str) -> None:
    tenant = Tenant()
    task, _plan = tenant.planned(text=f"{tenant.system.name} {text}")
    real = [step.approver for step in ApprovalStep.objects.filter(round__task=task).order_by("order")]
    assert real and asked(tenant, task.sub_type) == real
    SystemOwner.objects.update(owner=tenant.deputy, deputy=None)
    assert asked(tenant, task.sub_type)[0] == tenant.deputy


def test_the_preview_shows_every_kind_of_work_in_few_queries() -> None:
    tenant = Tenant()
    tenant.servers[0].site.tier = Tier.CRITICAL
    tenant.servers[0].site.save()
    for number in range(5):
        stand(tenant, giver=(tenant.owner, tenant.deputy)[number % 2])
    path = f"/systems/{tenant.system.pk}/approvals/"
    client = signed_in(tenant.owner)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        text = read(client, path)
    assert len(queries) <= 20, len(queries)
    for name in (tenant.owner, tenant.deputy, tenant.pm, tenant.security, *(s.label for s in SubType)):
        assert str(name) in text
    assert text.count('data-status="STARTED"') == 0, "nothing stands on a critical site"
    assert read(client, f"{path}?tier=2").count('data-status="STARTED"') == 1
    assert f'action="/systems/{tenant.system.pk}/standing/"' in text
    assert f'action="/systems/{tenant.system.pk}/standing/"' not in read(signed_in(tenant.site_manager), path)


@pytest.mark.parametrize("lack", ["policy", "pm", "servers"])
def test_the_preview_says_what_cannot_be_approved(lack: str) -> None:
    tenant = Tenant()
    if lack == "policy":
        ApprovalPolicy.objects.exclude(sub_type="SERVICE_RESTART").delete()
    elif lack == "pm":
        tenant.pm.memberships.all().delete()
    else:
        tenant.system.servers.update(is_active=False)
    assert 'class="danger-text"' in read(signed_in(tenant.owner), f"/systems/{tenant.system.pk}/approvals/") or (
        lack == "servers"
    )


def test_a_pre_approval_is_given_and_revoked_on_the_page() -> None:
    tenant = Tenant()
    path = f"/systems/{tenant.system.pk}/"
    extent = {
        "sub_type": "SERVICE_RESTART",
        "role": "OWNER",
        "days": 180,
        "uses_allowed": 1,
        "period_days": 7,
        "reason": "정기 재기동",
    }
    client = browser(tenant.owner)
    assert client.post(f"{path}standing/", {**extent, "days": 999}).status_code == 400
    assert browser(tenant.pm).post(f"{path}standing/", extent).status_code == 403
    assert not StandingApproval.objects.exists()
    assert client.post(f"{path}standing/", extent).status_code == 302
    standing = StandingApproval.objects.get()
    assert "정기 재기동" in read(client, f"{path}approvals/")
    other = Tenant()
    assert browser(other.owner).post(f"/systems/{other.system.pk}/standing/{standing.pk}/revoke/").status_code == 404
    assert browser(tenant.pm).post(f"{path}standing/{standing.pk}/revoke/").status_code == 403
    assert client.post(f"{path}standing/{standing.pk}/revoke/").status_code == 302
    assert StandingApproval.objects.get().revoked_by == tenant.owner


FORM: dict[str, Any] = {
    "name": "정기 백업",
    "sub_type": "BACKUP",
    "category": "",
    "risk": "",
    "tier": "2",
    "reason": "절차 변경",
    "who1": "OWNER",
    "people1": "2",
    "again1": "on",
    "who2": "AUTOMATIC",
    "people2": "1",
}


def test_a_policy_is_proposed_looked_at_and_accepted() -> None:
    Tenant()
    one, two = make_user(Role.ADMINISTRATOR), make_user(Role.SECURITY_OFFICER)
    first, second = browser(one), browser(two)
    assert first.post("/policies/new/", {**FORM, "reason": ""}).status_code == 400
    assert first.post("/policies/new/", FORM).status_code == 302
    change = PolicyChange.objects.get()
    decide = f"/policies/changes/{change.pk}/decide/"
    assert 'value="withdraw"' in read(signed_in(one), "/policies/changes/")
    page = read(signed_in(two), "/policies/changes/")
    assert 'value="accept"' in page and "정기 백업" in page and "2명" in page
    assert first.post(decide, {"decision": "accept"}).status_code == 403
    assert second.post(decide, {"decision": "other"}).status_code == 400
    assert second.post(decide, {"decision": "accept"}).status_code == 302
    policy = ApprovalPolicy.objects.get(name="정기 백업")
    steps = policy.steps.values_list("role", "approvers_needed", "needs_reauthentication", "is_automatic")
    assert list(steps) == [("OWNER", 2, True, False), ("SECURITY_OFFICER", 1, False, True)]
    assert second.post(decide, {"decision": "accept"}).status_code == 409
    # the form of a change shows the policy as it is, and removes it
    path = f"/policies/{policy.pk}/change/"
    assert 'value="정기 백업"' in read(signed_in(two), path)
    assert second.post(path, FORM).status_code == 400, "nothing would change"
    assert second.post(path, {**FORM, "remove": "1"}).status_code == 302
    assert first.post(f"/policies/changes/{change.pk + 1}/decide/", {"decision": "accept"}).status_code == 302
    assert not ApprovalPolicy.objects.filter(pk=policy.pk).exists()
    assert second.post("/policies/new/", FORM).status_code == 302
    assert second.post(f"/policies/changes/{change.pk + 2}/decide/", {"decision": "withdraw"}).status_code == 302


def test_policies_are_read_by_all_and_proposed_by_officers_only() -> None:
    tenant = Tenant()
    officer = make_user(Role.ADMINISTRATOR)
    assert "/policies/new/" in read(signed_in(officer), "/policies/")
    for person in (tenant.site_manager, tenant.owner, tenant.security):
        page = read(signed_in(person), "/policies/")
        assert "/policies/new/" not in page and tenant.system.name in page
        for path in ("/policies/new/", "/policies/changes/"):
            read(signed_in(person), path, status=404)
        assert browser(person).post("/policies/new/", FORM).status_code == 404
    assert not PolicyChange.objects.exists()
