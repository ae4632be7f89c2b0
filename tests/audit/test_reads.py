"""Reads that matter are entries: uses of credentials and tokens, administrators' looks, exports, proofs."""

import json
import threading

import pytest

from accounts.choices import Role
from accounts.services.tokens import create_token
from audit.models import Entry
from audit.services.make_checkpoint import make_checkpoint
from execution.gate.session import open_session
from execution.models import Run
from execution.rollout.claims import claim_hosts
from execution.rollout.start_run import start_run
from execution.ssh.exceptions import SshError
from tests.audit.forgery import make_chain
from tests.audit.words import body_of_entry
from tests.doors import api, browser
from tests.factories import Tenant, make_institution, make_user

pytestmark = pytest.mark.django_db


def told(action: str) -> list[dict[str, object]]:
    return [body_of_entry(entry) for entry in Entry.objects.filter(action=action).order_by("pk")]


def test_a_credential_that_is_used_is_told_also_when_the_host_does_not_answer() -> None:
    tenant = Tenant(servers=1, ssh_port=1)
    task, plan = tenant.approved()
    start_run(task.pk)
    (host_run,) = claim_hosts(Run.objects.get(), "c", 1)
    spec = plan.content["hosts"][tenant.servers[0].hostname]
    with pytest.raises(SshError):
        open_session(host_run, spec, "c", threading.Event())
    (entry,) = told("credential.used")
    assert (entry["server"], entry["system"]) == (tenant.servers[0].hostname, tenant.system.code)
    assert entry["task_id"] == task.task_id and entry["object_id"] == str(spec["credential"])


def test_a_token_s_use_is_told_once_a_minute() -> None:
    person = make_user(Role.PM, make_institution())
    _token, clear = create_token(actor=person, name="script", scopes=["read"], days=1)
    for _ in range(3):
        api().get("/api/v1/task/history/OPS-1", HTTP_AUTHORIZATION=f"Bearer {clear}")
    (entry,) = told("token.used")
    assert entry["actor"] == f"user:{person.pk}:{person.username}" and clear not in json.dumps(entry)


def test_an_administrator_s_look_is_told_and_an_auditor_s_is_their_work() -> None:
    institution = make_institution()
    chain = make_chain(2, institution)
    entry = chain.entries.get(number=1)
    for role in (Role.AUDITOR, Role.ADMINISTRATOR):
        client = browser(make_user(role, institution))
        assert client.get("/admin/audit/entry/?q=OPS-1").status_code == 200
        assert client.get(f"/admin/audit/entry/{entry.pk}/change/").status_code == 200
    looks = told("chain.viewed")
    assert [look["facts"]["query"] for look in looks] == ["q=OPS-1", ""]  # type: ignore[index]
    assert looks[1]["object_id"] == str(entry.pk)


def test_exports_and_proofs_need_a_reason_and_are_told() -> None:
    institution = make_institution()
    chain, client = make_chain(3, institution), browser(make_user(Role.AUDITOR, institution))
    make_checkpoint(reason="asked")
    entry = chain.entries.get(number=2)
    doors = {
        "/admin/audit/chain/export/": "chain.exported",
        f"/admin/audit/entry/{entry.pk}/proof/": "proof.downloaded",
    }
    for path, action in doors.items():
        assert client.post(path, {"reason": " "}).status_code == 400 and told(action) == []
        response = client.post(path, {"reason": "국정감사 자료"})
        assert response.status_code == 200 and "attachment" in response["Content-Disposition"]
        assert [one["summary"] for one in told(action)] == ["국정감사 자료"]


def test_the_page_of_checkpoints_is_for_those_who_see_every_institution() -> None:
    institution = make_institution()
    make_chain(2, institution)
    of_all, of_one = browser(make_user(Role.AUDITOR)), browser(make_user(Role.AUDITOR, institution))
    assert of_one.get("/admin/audit/checkpoint/").status_code == 403
    assert of_one.post("/admin/audit/checkpoint/make/").status_code == 403
    assert of_all.post("/admin/audit/checkpoint/make/").status_code == 302
    page = of_all.get("/admin/audit/checkpoint/").content.decode()
    assert 'data-status="INTACT"' in page and 'data-status="BROKEN"' not in page
    assert [one["facts"] for one in told("checkpoint.asked")] == [{"reason": "asked"}]
