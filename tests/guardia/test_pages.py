"""Every page renders for whom it is meant, under the strict Content-Security-Policy."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from execution.live.events import append_event
from execution.models import ResultPackage
from execution.rollout.finish import result_document
from execution.rollout.start_run import start_run
from governance.choices import Decision
from guardia.templatetags.guardia_ui import lifeline
from tests.factories import Tenant, approve, make_user, pending_step
from tickets.choices import Channel, TaskStatus
from tickets.models import OpsTask
from tickets.services.file_task import file_task

pytestmark = pytest.mark.django_db


class Inline(HTMLParser):
    """Collects what the policy would refuse: inline scripts and styles, event handlers, foreign addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        is_data = values.get("type") == "application/json"
        if tag == "style" or (tag == "script" and "src" not in values and not is_data):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            is_foreign = name in ("src", "href", "action") and (value or "").startswith(
                ("http:", "https:", "//", "javascript:")
            )
            if name == "style" or name.startswith("on") or is_foreign:
                self.found.append(f"{tag} {name}={value}")


def read(client: Client, path: str, status: int = 200) -> str:
    """The page's text, after looking at its status, its policy and its markup."""
    response = client.get(path)
    assert response.status_code == status, path
    policy = response["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "unsafe" not in policy
    text = response.content.decode()
    inline = Inline()
    inline.feed(text)
    assert inline.found == [], path
    assert {"main", "h1"} <= set(inline.tags) or path in ("/login/", "/api/docs/"), path
    return text


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


def test_the_doors(client: Client) -> None:
    assert 'name="password"' in read(client, "/login/")
    read(client, "/no-such-page/", status=404)


@pytest.mark.parametrize(
    "path", ["/", "/tasks/", "/tasks/?status=PEN&q=x", "/tasks/new/", "/messages/", "/queue/", "/calendar/"]
)
def test_pages_of_a_site_manager(tenant: Tenant, path: str) -> None:
    read(signed_in(tenant.site_manager), path)


def test_a_task_that_asks_for_something_shows_the_form_to_its_requester_only(tenant: Tenant) -> None:
    task = file_task(
        actor=tenant.site_manager, text=f"{tenant.system.name} WAS 전체에 배포해 주세요", channel=Channel.API
    )
    assert task.status == TaskStatus.NEEDS_INFORMATION
    path = f"/tasks/{task.task_id}/"
    assert f'action="{path}information/"' in read(signed_in(tenant.site_manager), path)
    assert f'action="{path}information/"' not in read(signed_in(tenant.owner), path)


def test_the_approval_form_is_for_the_person_whose_turn_it_is(tenant: Tenant) -> None:
    task, plan = tenant.planned()
    admin_path = f"/admin/tickets/opstask/{task.pk}/change/"
    for path in (f"/tasks/{task.task_id}/", admin_path):
        assert f'name="digest" value="{plan.digest}"' in read(signed_in(tenant.owner), path)
        assert 'name="digest"' not in read(signed_in(tenant.pm), path)
    assert 'name="digest"' not in read(signed_in(tenant.site_manager), f"/tasks/{task.task_id}/")
    assert f"/tasks/{task.task_id}/" in read(signed_in(tenant.owner), "/")
    assert admin_path in read(signed_in(tenant.owner), "/admin/")


def test_a_run_shows_what_servers_said_as_text(tenant: Tenant) -> None:
    task, _plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    host = run.waves.get(number=1).host_runs.get()
    hostile = "</script><script>alert(1)</script><b onclick=x>"
    append_event(
        run, "step_failed", host, host=host.server.hostname, step=hostile, phase="APPLY", error=hostile, output=hostile
    )
    ResultPackage.objects.create(run=run, document=result_document(run), digest="0" * 64)
    for client, path in (
        (signed_in(tenant.site_manager), f"/tasks/{task.task_id}/"),
        (signed_in(tenant.pm), f"/admin/tickets/opstask/{task.pk}/change/"),
    ):
        text = read(client, path)
        assert f'data-run="{run.pk}"' in text
        assert "&lt;b onclick=x&gt;" in text
        assert "/result.json" in text


def test_a_stranger_sees_nothing(tenant: Tenant) -> None:
    task, _plan = tenant.planned()
    stranger = Tenant()
    read(signed_in(stranger.site_manager), f"/tasks/{task.task_id}/", status=404)
    assert tenant.institution.name not in read(signed_in(stranger.pm), "/admin/tickets/opstask/")


def test_a_refusal_says_why_and_leads_back(tenant: Tenant) -> None:
    task, plan = tenant.planned()
    step = pending_step(task)
    here = f"/tasks/{task.task_id}/"
    response = signed_in(tenant.owner).post(
        f"{here}decide/{step.pk}/", {"decision": "REJECT", "digest": plan.digest, "comment": "", "next": here}
    )
    assert response.status_code == 400
    assert f'href="{here}"' in response.content.decode()
    assert pending_step(task) == step


@pytest.mark.parametrize(
    "name",
    [
        "tickets_opstask",
        "governance_approvalstep",
        "governance_approvalpolicy",
        "governance_changewindow",
        "governance_freeze",
        "governance_freezeexception",
        "governance_accessrange",
        "execution_run",
        "execution_hostrun",
        "cmdb_server",
        "audit_chain",
        "audit_entry",
        "accounts_user",
        "notifications_notification",
    ],
)
def test_lists_of_the_admin(tenant: Tenant, name: str) -> None:
    tenant.planned()
    client = signed_in(tenant.pm)
    read(client, reverse(f"admin:{name}_changelist"))


def test_forms_of_the_admin() -> None:
    tenant = Tenant()
    client = signed_in(make_user(Role.OPERATOR))
    read(client, reverse("admin:cmdb_server_change", args=[tenant.servers[0].pk]))
    read(client, reverse("admin:cmdb_server_add"))


def test_the_verification_names_what_it_found(tenant: Tenant) -> None:
    tenant.planned()
    response = signed_in(tenant.pm).post(reverse("admin:audit_chain_verify"))
    assert response.status_code == 200
    assert f"institution:{tenant.institution.code}" in response.content.decode()
    assert 'data-status="INTACT"' in response.content.decode()


def test_the_language_is_chosen_by_the_reader(tenant: Tenant) -> None:
    client = signed_in(tenant.site_manager)
    assert '<html lang="ko">' in read(client, "/")
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    assert '<html lang="en">' in read(client, "/")


def test_the_life_line_tells_where_a_task_is_and_how_it_ended(tenant: Tenant) -> None:
    task, plan = tenant.planned()
    assert [stage["state"] for stage in lifeline(task)] == ["done", "done", "now", "todo", "todo", "todo", "todo"]
    approve(task, plan, tenant.owner, decision=Decision.REJECT, comment="아직 안 됩니다")
    rejected = OpsTask.objects.get(pk=task.pk)
    assert [stage["state"] for stage in lifeline(rejected)][2:4] == ["bad", "todo"]


def test_the_browser_of_the_api(tenant: Tenant) -> None:
    assert 'id="swagger-ui"' in read(signed_in(tenant.pm), "/api/docs/")


def test_the_desk_turns_a_site_manager_away_with_a_word(tenant: Tenant) -> None:
    response = signed_in(tenant.site_manager).get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/login/")
    assert str(tenant.site_manager) in response.content.decode()
