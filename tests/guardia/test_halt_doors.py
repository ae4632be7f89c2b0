"""The kill switch's doors: the button, the page, the banner, the panel of a halted run, and the API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.services.tokens import create_token
from execution.choices import HaltScope
from execution.halts.press import halt
from execution.models import Halt, HostRun, Run
from execution.rollout.start_run import start_run
from tests.doors import api, assert_refused, browser
from tests.factories import PASSWORD, Tenant, make_user
from tests.guardia.test_pages import read
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db
WHY = "얼룩말 발견"
BUTTON, BANNER = "data-halt", "halt-banner"


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=2)


@pytest.fixture
def run(tenant: Tenant) -> Run:
    task, _plan = tenant.approved()
    started = start_run(task.pk)
    assert started is not None
    return started


def test_the_button_is_on_every_page_of_those_who_may(tenant: Tenant) -> None:
    for person, is_shown in ((tenant.pm, True), (tenant.security, True), (tenant.owner, False)):
        for path in ("/", "/queue/", "/admin/", "/admin/tickets/opstask/"):
            assert (BUTTON in read(browser(person), path)) == is_shown, (person, path)
    assert BUTTON not in read(browser(tenant.site_manager), "/")
    assert 'name="target"' not in read(browser(tenant.owner), "/halt/")


def test_what_may_be_halted_is_offered_and_nothing_else(tenant: Tenant, run: Run) -> None:
    other = Tenant(servers=1)
    page = read(browser(tenant.pm), f"/halt/?task={run.task.task_id}")
    assert f'value="RUN:{run.task.task_id}" selected' in page and "GLOBAL:" not in page
    assert f"INSTITUTION:{tenant.institution.code}" in page and other.institution.code not in page
    assert "GLOBAL:" in read(browser(make_user(Role.ADMINISTRATOR)), "/halt/")
    assert "?task=" in read(browser(tenant.pm), f"/tasks/{run.task.task_id}/")
    assert "?task=" not in read(browser(tenant.owner), f"/tasks/{run.task.task_id}/")


def test_two_steps_a_banner_for_everybody_and_the_panel(tenant: Tenant, run: Run) -> None:
    client, task = browser(tenant.pm), run.task
    with nothing_changes():
        assert client.post("/halt/", {"target": f"RUN:{task.task_id}", "reason": " "}).status_code == 400
        assert client.post("/halt/", {"target": "ALL:", "reason": WHY}).status_code == 400
        assert client.post("/halt/", {"target": "GLOBAL:", "reason": WHY}).status_code == 403
    target = f"INSTITUTION:{tenant.institution.code}"
    assert client.post("/halt/", {"target": target, "reason": WHY, "rolls_back": "no"}).status_code == 302
    assert client.post("/halt/", {"target": target, "reason": WHY}).status_code == 409
    for person in (tenant.site_manager, tenant.owner, tenant.pm):
        text = read(browser(person), "/")
        assert BANNER in text and WHY in text
    assert BANNER in read(browser(tenant.owner), "/admin/")
    assert BANNER not in read(browser(Tenant(servers=1).pm), "/")
    path = f"/tasks/{task.task_id}/"
    assert OpsTask.objects.get(pk=task.pk).status == "HLT"
    assert 'id="halted"' in read(client, path) and "halted/resume/" not in read(client, path)
    assert client.post(f"{path}halted/resume/", {"reason": "go"}).status_code == 409, "lifted first"
    pressed = Halt.objects.get()
    lift = f"/halt/{pressed.pk}/lift/"
    assert client.post(lift, {"reason": "safe"}).status_code == 403
    assert client.post(lift, {"reason": "safe", "password": "wrong"}).status_code == 403
    assert client.post(lift, {"reason": "safe", "password": PASSWORD}).status_code == 302
    assert BANNER not in read(client, "/")
    assert "halted/resume/" in read(client, path) and "halted/resume/" not in read(browser(tenant.owner), path)
    assert client.post(f"{path}halted/roll-back/", {"reason": "back"}).status_code == 409, "nothing was changed"
    assert client.post(f"{path}halted/resume/", {"reason": "go"}).status_code == 302
    assert set(HostRun.objects.values_list("status", flat=True)) == {"PENDING"}
    assert OpsTask.objects.get(pk=task.pk).status == "EXE"


def test_the_page_and_the_banner_stay_within_twenty_queries(tenant: Tenant, run: Run) -> None:
    for _number in range(3):
        code = Tenant(servers=0).institution.code
        halt(actor="console:test", scope=HaltScope.INSTITUTION, institution=code, reason=WHY)
    halt(actor="console:test", scope=HaltScope.GLOBAL, reason=WHY)
    client = browser(make_user(Role.ADMINISTRATOR))
    client.get("/")
    for path in ("/halt/", "/", "/queue/"):
        with CaptureQueriesContext(connection) as few:
            assert WHY in client.get(path).content.decode()
        assert len(few) <= 20, (path, len(few))


def test_the_api_presses_tells_and_lifts(tenant: Tenant, run: Run) -> None:
    client, path = api(tenant.pm), "/api/v1/halt"
    body = {"scope": "RUN", "task_id": run.task.task_id, "reason": WHY, "rolls_back": False}
    with nothing_changes():
        assert_refused(api(tenant.owner).post(path, body, format="json"), 403, "not_permitted")
        assert_refused(client.post(path, {**body, "reason": ""}, format="json"), 400, "reason_missing")
        assert_refused(client.post(path, {**body, "scope": "WORLD"}, format="json"), 400, "invalid")
        assert_refused(client.post(path, {**body, "scope": "GLOBAL"}, format="json"), 403, "not_permitted")
    pressed = client.post(path, body, format="json")
    assert pressed.status_code == 201
    assert pressed.json()["halted_by"] and pressed.json()["task_id"] == run.task.task_id
    assert_refused(client.post(path, body, format="json"), 409, "nothing_to_halt")
    assert [row["halt_id"] for row in client.get(path).json()["halts"]] == [pressed.json()["halt_id"]]
    wide = client.post(
        path, {"scope": "INSTITUTION", "institution": tenant.institution.code, "reason": WHY}, format="json"
    ).json()
    lift = {"halt_id": wide["halt_id"], "reason": "safe"}
    assert_refused(client.post(f"{path}/lift", lift, format="json"), 403, "proof_missing")
    lifted = client.post(f"{path}/lift", {**lift, "password": PASSWORD}, format="json")
    assert lifted.status_code == 200 and lifted.json()["lifted_by"]
    assert_refused(client.post(f"{path}/lift", {**lift, "password": PASSWORD}, format="json"), 409, "stale_state")


def test_a_personal_token_may_look_and_not_press(tenant: Tenant) -> None:
    _token, text = create_token(actor=tenant.pm, name="watch", scopes=["read", "file", "approve"], days=9)
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert client.get("/api/v1/halt").status_code == 200
    body = {"scope": "INSTITUTION", "institution": tenant.institution.code, "reason": WHY}
    assert_refused(client.post("/api/v1/halt", body, format="json"), 403, "scope_missing")
