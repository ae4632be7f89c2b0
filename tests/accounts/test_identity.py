"""The proof of identity that work of high risk needs: from the form, the call or the last five minutes."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.choices import ProofMethod
from accounts.exceptions import ProofMissing
from accounts.identity import IdentityProof
from accounts.models import TotpDevice
from audit.models import Entry
from governance.choices import Decision
from governance.services.decide_step import decide_step
from guardia.common.clock import now
from tests.accounts.second_factor import code_of, enrol
from tests.doors import DECIDE, api, assert_refused, browser
from tests.factories import PASSWORD, Tenant, pending_step
from tests.snapshot import nothing_changes
from tickets.choices import Risk
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("risk", list(Risk))
@pytest.mark.parametrize("decision", list(Decision))
def test_from_high_risk_on_a_decision_needs_a_proof(risk: Risk, decision: Decision) -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    OpsTask.objects.filter(pk=task.pk).update(risk=risk)
    call: dict[str, Any] = {
        "actor": tenant.owner,
        "step_pk": pending_step(task).pk,
        "decision": decision,
        "digest": plan.digest,
        "channel": "api",
        "comment": "c",
    }
    if risk >= Risk.HIGH:
        with nothing_changes(), pytest.raises(ProofMissing):
            decide_step(**call)
        call["proof"] = IdentityProof(tenant.owner.pk, ProofMethod.OTP, now())
    step = decide_step(**call)
    assert step.decided_by == tenant.owner
    body = Entry.objects.filter(task_id=task.task_id, action__startswith="approval.").latest("pk").body
    assert f'"proved_by":"{"otp" if risk >= Risk.HIGH else ""}"' in body


def test_a_proof_is_for_its_user_and_for_five_minutes() -> None:
    tenant = Tenant()
    owner, pm = tenant.owner, tenant.pm
    for user, age, holds in (
        (owner, timedelta(), True),
        (owner, timedelta(minutes=4, seconds=50), True),
        (owner, timedelta(minutes=5, seconds=1), False),
        (owner, timedelta(seconds=-60), False),
        (pm, timedelta(), False),
    ):
        assert IdentityProof(user.pk, ProofMethod.PASSWORD, now() - age).holds_for(owner) is holds


def test_the_api_takes_password_or_code_with_the_decision() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    device, codes = enrol(tenant.owner)
    body = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest}
    client = api(tenant.owner)
    with nothing_changes():
        told = assert_refused(client.post(DECIDE, body, format="json"), 403, "proof_missing")
        assert "password" in told["message"] and "otp" in told["message"]
    assert_refused(client.post(DECIDE, {**body, "password": "wrong"}, format="json"), 403, "proof_wrong")
    assert_refused(client.post(DECIDE, {**body, "otp": "wrong"}, format="json"), 403, "proof_wrong")
    assert pending_step(task).order == 1
    TotpDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert client.post(DECIDE, {**body, "otp": code_of(device)}, format="json").status_code == 200
    other, plan = tenant.planned()
    body = {"task_id": other.task_id, "decision": "APPROVE", "plan_digest": plan.digest, "password": PASSWORD}
    assert client.post(DECIDE, body, format="json").status_code == 200
    assert codes


def test_guessing_at_the_decision_locks_like_the_log_in() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    body = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest}
    client = api(tenant.owner)
    codes = [client.post(DECIDE, {**body, "password": f"no{n}"}, format="json").json()["code"] for n in range(5)]
    assert codes == ["proof_wrong"] * 4 + ["locked_out"]
    assert_refused(client.post(DECIDE, {**body, "password": PASSWORD}, format="json"), 429, "locked_out")


def test_the_portal_asks_once_in_five_minutes() -> None:
    tenant = Tenant()
    client = browser(tenant.owner)
    for asks in (True, False):
        task, plan = tenant.planned()
        here = f"/tasks/{task.task_id}/"
        page = client.get(here).content.decode()
        assert ('name="password"' in page) is asks
        form = {"decision": "APPROVE", "digest": plan.digest, "comment": "", "next": here}
        if asks:
            with nothing_changes():
                refused = client.post(f"{here}decide/{pending_step(task).pk}/", form)
                assert refused.status_code == 403
            wrong = client.post(f"{here}decide/{pending_step(task).pk}/", {**form, "password": "wrong"})
            assert wrong.status_code == 403 and pending_step(task).order == 1
            form["password"] = PASSWORD
        assert client.post(f"{here}decide/{pending_step(task).pk}/", form)["Location"] == here
        assert pending_step(task).order == 2
    session = client.session
    session["guardia_proof"][2] = (now() - timedelta(minutes=6)).isoformat()
    session.save()
    task, _plan = tenant.planned()
    assert 'name="password"' in client.get(f"/tasks/{task.task_id}/").content.decode()
    enrol(tenant.owner)
    assert 'name="otp"' in client.get(f"/tasks/{task.task_id}/").content.decode()


@pytest.mark.parametrize("given", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_confirm_page_leads_only_to_our_own_pages(given: str) -> None:
    tenant = Tenant()
    response = browser(tenant.pm).post("/account/confirm/", {"password": PASSWORD, "next": given})
    assert response["Location"] == "/account/"
