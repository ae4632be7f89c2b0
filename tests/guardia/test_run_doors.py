"""The doors to a run under way: what its part of the page shows and offers to whom, the acts, and the API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from cmdb.models import Server
from execution.models import EventHead, HostRun, Plan, Run, Wave
from execution.rollout.advance import advance
from guardia.common.canonical import canonical_bytes
from guardia.common.clock import now
from tests.doors import api, browser
from tests.execution.strategies import begin, settle
from tests.factories import Tenant, make_user
from tests.guardia.test_pages import read
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
BLOCK = "{batches: [2], bake: 1, gate: manual, tolerate: {wave: 1, run: 1}, rollback: run}"


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=4)


def test_the_strategy_is_shown_on_the_plan_and_on_the_run(tenant: Tenant) -> None:
    run = begin(tenant, BLOCK)
    page = read(browser(tenant.site_manager), f"/tasks/{run.task.task_id}/")
    words = (
        "Batches: 2.",
        "May fail: 1 of a wave, 1 in all",
        "watched for 1 second",
        "A person lets each next wave go",
    )
    for word in (*words, "everything goes back"):
        assert page.count(word) == 2, word
    assert page.count("1 may fail") == 4 and 'id="steer"' not in page
    settle(run, "DONE")
    advance(run.pk)
    page = read(browser(tenant.owner), f"/tasks/{run.task.task_id}/")
    assert "data-until" in page and "Being watched" in page and 'id="steer"' not in page


def test_who_may_steer_is_offered_what_can_be_done_now(tenant: Tenant) -> None:
    run = begin(tenant, BLOCK)
    path = f"/tasks/{run.task.task_id}/"
    operator = make_user(Role.OPERATOR, tenant.institution)
    for person in (tenant.pm, operator):
        page = read(browser(person), path)
        assert all(f"run/{act}/" in page for act in ("pause", "skip", "abort")) and "run/retry/" not in page
    client, lead = browser(tenant.pm), browser(tenant.owner)
    with nothing_changes():
        assert client.post(f"{path}run/explode/", {"reason": "x"}).status_code == 404
        assert client.post(f"{path}run/pause/", {"reason": " "}).status_code == 400
        assert client.post(f"{path}run/skip/", {"reason": "x"}).status_code == 400
        assert client.post(f"{path}run/abort/", {"reason": "x", "rollback": "run"}).status_code == 400, "unconfirmed"
        assert client.post(f"{path}run/retry/", {"reason": "x"}).status_code == 409
        assert lead.post(f"{path}run/pause/", {"reason": "x"}).status_code == 403
        assert client.get(f"{path}run/pause/").status_code == 405
    assert client.post(f"{path}run/pause/", {"reason": "lunch"}).status_code == 302
    page = read(client, path)
    assert "End the pause?" in page and "run/pause/" not in page and "lunch" in page and "Paused" in page
    assert "lunch" in read(browser(tenant.site_manager), "/queue/")
    assert client.post(f"{path}resume/", {}).status_code == 302
    name = HostRun.objects.filter(wave__run=run, status="PENDING").order_by("-pk")[0].server.hostname
    assert client.post(f"{path}run/skip/", {"reason": "moved", "hostname": name}).status_code == 302
    settle(run, "FAILED", HostRun.objects.filter(wave__run=run).order_by("pk")[0].server.hostname, touched=False)
    settle(run, "DONE", HostRun.objects.filter(wave__run=run).order_by("pk")[1].server.hostname)
    Run.objects.filter(pk=run.pk).update(held_for="GATE", held_because="x")
    page = read(client, path)
    assert "Let the next wave go?" in page and "run/retry/" in page and "moved" in page
    OpsTask.objects.filter(pk=run.task_id).update(requester=tenant.pm)
    assert "Let the next wave go?" not in read(client, path), "nobody judges their own request"
    OpsTask.objects.filter(pk=run.task_id).update(requester=tenant.site_manager)
    given = {"reason": "wrong file", "rollback": "run", "confirmed": "yes"}
    assert client.post(f"{path}run/abort/", given).status_code == 302
    advance(run.pk)
    assert Run.objects.get(pk=run.pk).aborted_by == tenant.pm


def test_the_api_steers_as_the_page_does(tenant: Tenant) -> None:
    run = begin(tenant, BLOCK)
    task_id, client, stranger = run.task.task_id, api(tenant.pm), api(Tenant(servers=1).pm)
    name = HostRun.objects.filter(wave__run=run).order_by("-pk")[0].server.hostname

    def act(**body: str) -> int:
        return int(client.post("/api/v1/run/act", {"task_id": task_id, **body}, format="json").status_code)

    with nothing_changes():
        for body in ({"act": "explode"}, {"act": "skip", "reason": "x"}, {"act": "abort", "reason": "x"}, {}):
            assert act(**body) == 400, body
        assert act(act="pause") == 400 and act(act="retry", reason="x") == 409
        refused = api(tenant.owner).post(
            "/api/v1/run/act", {"task_id": task_id, "act": "pause", "reason": "x"}, format="json"
        )
        assert refused.status_code == 403 and str(tenant.pm) in refused.json()["message"]
        body = {"task_id": task_id, "act": "pause", "reason": "x"}
        assert stranger.post("/api/v1/run/act", body, format="json").status_code == 404
    assert act(act="pause", reason="lunch") == 200
    state = client.post("/api/v1/run/act", {"task_id": task_id, "act": "resume"}, format="json").json()
    assert (state["status"], state["held_for"]) == ("RUNNING", "")
    assert act(act="skip", reason="moved", hostname=name) == 200
    assert act(act="abort", reason="wrong", rollback="wave") == 200
    history = client.get(f"/api/v1/task/history/{task_id}").json()
    assert history["runs"][0]["rollback"] == "wave"


def test_a_run_of_a_thousand_servers_is_one_page_of_few_queries() -> None:
    tenant = Tenant(servers=1)
    task, plan = tenant.planned()
    one = tenant.servers[0]
    fields = {name: getattr(one, name) for name in ("system", "site", "profile", "credential", "role", "home_dir")}
    servers = Server.objects.bulk_create(
        Server(hostname=f"many-{number:04}", address="127.0.0.1", number=number, **fields) for number in range(1000)
    )
    hosts = {server.hostname: plan.content["hosts"][one.hostname] for server in servers}
    document = canonical_bytes({**plan.content, "hosts": hosts, "waves": [list(hosts)]}).decode()
    large = Plan.objects.create(task=task, playbook=plan.playbook, digest="d" * 64, document=document)
    run = Run.objects.create(task=task, plan=large)
    EventHead.objects.create(run=run)
    for number, part in enumerate((servers[:500], servers[500:]), start=1):
        wave = Wave.objects.create(run=run, number=number, is_open=True, opened_at=now(), let_go_by=tenant.pm)
        HostRun.objects.bulk_create(HostRun(wave=wave, server=server, status="DONE") for server in part)
    OpsTask.objects.filter(pk=task.pk).update(status="EXE")
    client = browser(tenant.pm)
    read(client, "/")
    with CaptureQueriesContext(connection) as captured:
        page = read(client, f"/tasks/{task.task_id}/")
    assert len(captured) <= 20, len(captured)
    assert page.count("data-host=") == 1000
