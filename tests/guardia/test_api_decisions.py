"""`POST /api/v1/approval/process`: decisions, and every refusal with nothing changed."""

from typing import Any

import pytest

from governance.models import ApprovalStep
from tests.doors import DECIDE, api, assert_refused
from tests.factories import PASSWORD, Tenant, approve, pending_step
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db
DIGEST = "0" * 64


def test_the_owner_and_the_pm_approve_over_the_api() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    body = {
        "task_id": task.task_id,
        "decision": "APPROVE",
        "plan_digest": plan.digest,
        "password": PASSWORD,
        "comment": "네",
    }
    response = api(tenant.owner).post(DECIDE, body, format="json")
    assert response.status_code == 200, response.content
    told = response.json()
    assert (told["task_id"], told["task_status"]) == (task.task_id, "PEN")
    step = told["step"]
    assert (step["status"], step["decided_by"], step["decided_in"]) == ("APPROVED", tenant.owner.username, "api")
    assert step["plan_digest"] == step["digest_seen"] == plan.digest and step["comment"] == "네"
    named = {**body, "step_id": pending_step(task).pk}
    response = api(tenant.pm).post(DECIDE, named, format="json")
    assert (response.status_code, response.json()["task_status"]) == (200, "APP")


def test_a_rejection_over_the_api() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    body = {
        "task_id": task.task_id,
        "decision": "REJECT",
        "plan_digest": plan.digest,
        "password": PASSWORD,
        "comment": "점검 기간입니다",
    }
    response = api(tenant.owner).post(DECIDE, body, format="json")
    assert (response.status_code, response.json()["task_status"]) == (200, "REJ")


@pytest.mark.parametrize(
    "change",
    [
        {"task_id": None},
        {"task_id": ""},
        {"task_id": "T" * 33},
        {"task_id": "OPS\x00"},
        {"task_id": ["a"]},
        {"decision": "approve"},
        {"decision": ""},
        {"decision": {"a": 1}},
        {"decision": []},
        {"plan_digest": ""},
        {"plan_digest": "0" * 63},
        {"plan_digest": "G" * 64},
        {"step_id": 0},
        {"step_id": -1},
        {"step_id": "one"},
        {"step_id": 1.5},
        {"step_id": [1]},
        {"comment": "가" * 2001},
        {"comment": "\x00"},
        {"comment": None},
    ],
    ids=lambda change: ascii(change)[:40],
)
def test_a_body_of_the_wrong_form_is_refused(change: dict[str, Any]) -> None:
    tenant = Tenant(servers=1)
    task, plan = tenant.planned()
    body = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest, "password": PASSWORD, **change}
    with nothing_changes():
        refusal = assert_refused(api(tenant.owner).post(DECIDE, body, format="json"), 400, "invalid")
    assert set(refusal["details"]["fields"]) == set(change)


def test_everybody_else_is_refused_by_status_and_code() -> None:
    tenant, stranger = Tenant(), Tenant()
    task, plan = tenant.planned()
    other, other_plan = stranger.planned()
    first, second = ApprovalStep.objects.filter(round__task=task)
    body = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest, "password": PASSWORD}
    cases: list[tuple[Any, dict[str, Any], int, str]] = [
        (tenant.site_manager, {}, 403, "self_approval"),
        (tenant.pm, {}, 403, "not_your_turn"),
        (tenant.pm, {"step_id": second.pk}, 403, "not_its_turn"),
        (tenant.deputy, {"step_id": first.pk}, 403, "not_your_turn"),
        (tenant.owner, {"plan_digest": DIGEST, "password": PASSWORD}, 409, "digest_changed"),
        (tenant.owner, {"plan_digest": other_plan.digest, "password": PASSWORD}, 409, "digest_changed"),
        (tenant.owner, {"decision": "REJECT"}, 400, "reason_missing"),
        (tenant.owner, {"task_id": "OPS-20260101-999"}, 404, "not_found"),
        (tenant.owner, {"task_id": other.task_id}, 404, "not_found"),
        (tenant.owner, {"step_id": pending_step(other).pk}, 404, "not_found"),
        (tenant.owner, {"step_id": 10**30}, 404, "not_found"),
        (stranger.owner, {}, 404, "not_found"),
        (stranger.pm, {"step_id": second.pk}, 404, "not_found"),
        (stranger.owner, {"task_id": other.task_id, "step_id": first.pk}, 404, "not_found"),
    ]
    with nothing_changes():
        for actor, change, status, code in cases:
            assert_refused(api(actor).post(DECIDE, {**body, **change}, format="json"), status, code)


def test_a_second_approval_of_the_same_step_is_a_conflict() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    step = approve(task, plan, tenant.owner)
    body = {
        "task_id": task.task_id,
        "step_id": step.pk,
        "decision": "APPROVE",
        "plan_digest": plan.digest,
        "password": PASSWORD,
    }
    with nothing_changes():
        refusal = assert_refused(api(tenant.owner).post(DECIDE, body, format="json"), 409, "already_decided")
    assert refusal["message"] == f"Already decided by {tenant.owner}."
    approve(task, plan, tenant.pm)
    del body["step_id"]
    with nothing_changes():
        assert_refused(api(tenant.pm).post(DECIDE, body, format="json"), 409, "already_decided")


def test_a_task_without_a_round_has_no_step_to_decide() -> None:
    tenant = Tenant()
    body = {"task_id": tenant.file().task_id, "decision": "APPROVE", "plan_digest": DIGEST, "password": PASSWORD}
    with nothing_changes():
        assert_refused(api(tenant.owner).post(DECIDE, body, format="json"), 404, "not_found")
