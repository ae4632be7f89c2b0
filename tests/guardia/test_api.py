"""Tokens, a task's history, languages, the OpenAPI document and the health doors."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import call_command
from django_q.models import OrmQ
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import User
from audit.models import Entry
from execution.rollout.start_run import start_run
from guardia.common.clock import now
from tests.doors import DECIDE, HISTORY, INTAKE, api, assert_refused
from tests.factories import PASSWORD, Tenant, make_user
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db
HANGUL = range(ord("가"), ord("힣") + 1)
NEEDS_CATALOGUE = pytest.mark.skipif(
    not (Path(project.BASE_DIR) / "locale/ko/LC_MESSAGES/django.mo").exists(),
    reason="the Korean catalogue is not compiled (tools/messages.py compile)",
)


def test_a_token_is_obtained_used_and_refreshed() -> None:
    tenant = Tenant()
    task = tenant.file()
    client = api()
    given = client.post("/api/v1/token/", {"username": tenant.pm.username, "password": PASSWORD}, format="json")
    assert given.status_code == 200 and set(given.json()) == {"access", "refresh"}
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {given.json()['access']}")
    assert client.get(HISTORY + task.task_id).status_code == 200
    refreshed = client.post("/api/v1/token/refresh/", {"refresh": given.json()["refresh"]}, format="json")
    assert refreshed.status_code == 200 and "access" in refreshed.json()


def test_a_wrong_password_a_stranger_and_an_inactive_user_get_the_same_refusal() -> None:
    user, retired = make_user(), make_user(is_active=False)
    answers = []
    for name, password in ((user.username, "wrong"), ("nobody", PASSWORD), (retired.username, PASSWORD)):
        response = api().post("/api/v1/token/", {"username": name, "password": password}, format="json")
        answers.append(assert_refused(response, 401, "no_active_account"))
    assert answers[0] == answers[1] == answers[2]


def _expired(user: User) -> str:
    token = AccessToken.for_user(user)
    token.set_exp(from_time=now() - timedelta(hours=1), lifetime=timedelta(minutes=15))
    return str(token)


def test_what_is_not_a_living_token_opens_nothing() -> None:
    tenant = Tenant()
    task = tenant.file()
    good = str(AccessToken.for_user(tenant.pm))
    header, payload, signature = good.split(".")
    retired = make_user()
    token_of_retired = str(AccessToken.for_user(retired))
    User.objects.filter(pk=retired.pk).update(is_active=False)
    tokens: dict[str, str] = {
        _expired(tenant.pm): "token_not_valid",
        str(RefreshToken.for_user(tenant.pm)): "token_not_valid",
        f"{header}.{payload}.{signature[::-1]}": "token_not_valid",
        f"eyJhbGciOiJub25lIn0.{payload}.": "token_not_valid",
        "nonsense": "token_not_valid",
        token_of_retired: "authentication_failed",
    }
    doors: list[tuple[str, str, dict[str, Any]]] = [
        ("post", INTAKE, {"text": "재기동"}),
        ("post", DECIDE, {}),
        ("get", HISTORY + task.task_id, {}),
    ]
    client = api()
    with nothing_changes():
        for method, path, body in doors:
            client.credentials()
            assert_refused(getattr(client, method)(path, body, format="json"), 401, "not_authenticated")
            for token, code in tokens.items():
                client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
                assert_refused(getattr(client, method)(path, body, format="json"), 401, code)


def test_the_history_tells_everything_about_a_task() -> None:
    tenant = Tenant()
    task, plan = tenant.approved()
    start_run(task.pk)
    response = api(tenant.site_manager).get(HISTORY + task.task_id)
    body = response.json()
    assert set(body) == {"task", "plan_digest", "plan_changes", "approvals", "runs", "entries", "next"}
    assert (body["task"]["status"], body["plan_digest"], body["next"]) == ("EXE", plan.digest, None)
    assert [(a["role"], a["status"]) for a in body["approvals"]] == [("OWNER", "APPROVED"), ("PM", "APPROVED")]
    assert {a["original_owner"] for a in body["approvals"]} == {tenant.owner.username, tenant.pm.username}
    (run,) = body["runs"]
    assert (run["status"], run["plan_digest"]) == ("RUNNING", plan.digest)
    assert sorted(host["hostname"] for host in run["hosts"]) == sorted(server.hostname for server in tenant.servers)
    assert [entry["action"] for entry in body["entries"]][:3] == ["task.received", "task.parsed", "task.submitted"]
    for before, after in zip(body["entries"], body["entries"][1:], strict=False):
        assert after["number"] > before["number"] and after["chain"] == before["chain"]


def test_a_long_history_comes_in_pages_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardia.api.history._PER_PAGE", 2)
    tenant = Tenant(servers=5)
    task, _plan = tenant.approved()
    start_run(task.pk)
    client, path = api(tenant.site_manager), HISTORY + task.task_id
    entries, hosts, pages = list[int](), list[str](), 0
    while path:
        body = client.get(path).json()
        assert len(body["entries"]) <= 2 and len(body["runs"][0]["hosts"]) <= 2 and body["task"]["status"] == "EXE"
        entries += [entry["number"] for entry in body["entries"]]
        hosts += [host["hostname"] for host in body["runs"][0]["hosts"]]
        path, pages = body["next"], pages + 1
    assert sorted(hosts) == sorted(server.hostname for server in tenant.servers) and pages > 2
    told = Entry.objects.filter(task_id=task.task_id).order_by("pk")
    assert entries == [entry.number for entry in told] and len(entries) == len(set(entries))


@pytest.mark.parametrize("given", ["entries_after=x", "hosts_after=-1", "entries_after=9223372036854775808"])
def test_a_page_that_cannot_be_is_refused(given: str) -> None:
    tenant = Tenant()
    task = tenant.file()
    assert_refused(api(tenant.pm).get(f"{HISTORY}{task.task_id}?{given}"), 400, "invalid")
    assert api(tenant.pm).get(f"{HISTORY}{task.task_id}?entries_after={2**63 - 1}").json()["entries"] == []


@pytest.mark.parametrize("task_id", ["OPS-20260101-999", "a" * 500, "%00", "a%00b", "%F0%9F%94%A5", "' OR 1=1 --"])
def test_a_history_that_is_not_there_is_not_found(task_id: str) -> None:
    tenant = Tenant()
    assert_refused(api(tenant.pm).get(HISTORY + task_id), 404, "not_found")


def test_another_tenants_history_is_not_found() -> None:
    tenant, stranger = Tenant(), Tenant()
    task = stranger.file()
    for person in (tenant.site_manager, tenant.pm, tenant.security):
        assert_refused(api(person).get(HISTORY + task.task_id), 404, "not_found")


@NEEDS_CATALOGUE
def test_every_refusal_speaks_korean_and_english() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    decision = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest}
    refusals: list[tuple[User, str, dict[str, Any]]] = [
        (tenant.site_manager, INTAKE, {"text": ""}),
        (tenant.site_manager, INTAKE, {"text": "재기동", "servers": ["unknown"]}),
        (tenant.site_manager, INTAKE, {"text": "재기동", "system": "unknown"}),
        (tenant.site_manager, DECIDE, decision),
        (tenant.owner, DECIDE, {**decision, "plan_digest": "0" * 64}),
        (tenant.owner, DECIDE, {**decision, "decision": "REJECT"}),
        (tenant.owner, DECIDE, {**decision, "task_id": "OPS-1"}),
    ]
    for actor, path, body in refusals:
        words = {language: api(actor, language).post(path, body, format="json").json() for language in ("ko", "en")}
        assert words["ko"]["code"] == words["en"]["code"]
        assert any(ord(char) in HANGUL for char in words["ko"]["message"]), words
        assert not any(ord(char) in HANGUL for char in words["en"]["message"]), words


def test_the_openapi_document_is_made_without_a_warning_and_lists_the_endpoints(tmp_path: Path) -> None:
    target = tmp_path / "schema.yaml"
    call_command("spectacular", "--file", str(target), "--validate", "--fail-on-warn")
    text = target.read_text()
    for path in ("/api/v1/sr/intake", "/api/v1/approval/process", "/api/v1/task/history/{task_id}", "/api/v1/token/"):
        assert f"{path}:" in text
    for operation in ("sr_intake", "approval_process", "task_history"):
        assert f"operationId: {operation}" in text
    tenant = Tenant(servers=0)
    assert api(tenant.pm).get("/api/schema/").status_code == 200
    assert api().get("/api/schema/").status_code == 401


def test_health_says_whether_it_lives_and_whether_it_can_work() -> None:
    client = api()
    assert client.get("/health/live").json() == {"status": "live"}
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (200, "ready")
    assert response.json()["checks"] == {"database": True, "migrations": True, "worker": True}
    # a message that nobody has taken for half a minute
    OrmQ.objects.create(key="guardia", payload="x", lock=now() - timedelta(seconds=31))
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["checks"]["worker"]) == (503, False)
    assert client.post("/health/live").status_code == 405
