"""Every door but the admin's model pages: listed here, closed to strangers, blind to the other tenant."""

from typing import Any

import pytest
from django.apps import apps

from governance.models import ApprovalPolicy
from tests.doors import api, browser
from tests.factories import PASSWORD, pending_step
from tests.guardia.urls_of import all_patterns
from tests.guardia.world import Neighbour, Zebra, assert_unseen
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db

#: Anybody may knock: they say nothing of any tenant.
PUBLIC = {
    "login/",
    "login/code/",
    "logout/",
    "language/setlang/",
    "admin/login/",
    "admin/logout/",
    "api/v1/token/",
    "api/v1/token/refresh/",
    "health/live",
    "health/ready",
    # Signed messages of gateways in service: tests/execution/gateways/test_door.py
    *(f"gateway/v1/{what}" for what in ("enrol", "pull", "part", "artefact", "parcel")),
}
#: pattern → paths to look at, for somebody who is logged in.
PAGES = {
    "": ["/"],
    "tasks/": ["/tasks/", "/tasks/?status=PEN", "/tasks/?q=OPS-", "/tasks/?before=999999"],
    "tasks/new/": ["/tasks/new/", "/tasks/new/?kind=PORT_OPEN"],
    "messages/": ["/messages/"],
    "playbooks/": ["/playbooks/"],
    "playbooks/new/": ["/playbooks/new/"],
    "playbooks/<slug:name>/": ["/playbooks/was-rolling/"],
    "playbooks/<slug:name>/<int:version>/": ["/playbooks/was-rolling/1/", "/playbooks/backup/1/"],
    "playbooks/<slug:name>/<int:version>.yaml": ["/playbooks/was-rolling/1.yaml"],
    "policies/": ["/policies/", "/policies/?q=e"],
    "policies/new/": ["/policies/new/"],
    "policies/changes/": ["/policies/changes/"],
    "account/": ["/account/"],
    "account/confirm/": ["/account/confirm/?next=/account/"],
    "account/password/": ["/account/password/"],
    "account/totp/": ["/account/totp/"],
    "account/tokens/new/": ["/account/tokens/new/"],
    "queue/": ["/queue/", "/queue/?page=2"],
    "calendar/": ["/calendar/", "/calendar/?month=2026-10&of=i1", *(f"/calendar/?of=s{number}" for number in range(9))],
    "halt/": ["/halt/", "/halt/?task=OPS-20260101-001"],
    "servers/keys/": ["/servers/keys/", "/servers/keys/?q=e", "/servers/keys/?page=2"],
    "reports/": ["/reports/", "/reports/?page=2"],
    "gateways/": ["/gateways/", "/gateways/?page=2"],
    "gateways/new/": ["/gateways/new/"],
    "inbox/": ["/inbox/", "/inbox/?page=2"],
    "absence/": ["/absence/"],
    "authority/": ["/authority/", "/authority/?q=a&page=2"],
    "people/": ["/people/", "/people/?q=e&state=active&page=2"],
    "people/new/": ["/people/new/"],
    "more/": ["/more/"],
}
#: The same for those who work in the admin.
STAFF_PAGES = {
    "admin/": ["/admin/"],
    "admin/password_change/": ["/admin/password_change/"],
    "admin/password_change/done/": ["/admin/password_change/done/"],
    "admin/jsi18n/": ["/admin/jsi18n/"],
    "admin/autocomplete/": [
        "/admin/autocomplete/?app_label=cmdb&model_name=server&field_name=system&term=",
        "/admin/autocomplete/?app_label=governance&model_name=systemowner&field_name=owner&term=",
    ],
    "admin/(?P<url>.*)$": ["/admin/nothing/here/"],
    "admin/r/<path:content_type_id>/<path:object_id>/": [],  # with an object: `objects_of`
}
#: Acts on one's own account that name no object: they know whose it is by the session.
OWN_ACTS = {"account/totp/disable/", "account/totp/codes/"}
API_PAGES = {
    "api/v1/halt": ["/api/v1/halt"],
    "api/v1/reports": ["/api/v1/reports"],
    "api/schema/": ["/api/schema/"],
    "api/docs/": ["/api/docs/"],
}


def objects_of(zebra: Zebra) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(pattern, method, path, body): every act and read of the second tenant's objects, as its own people do them."""
    task, waiting, asking = zebra.task.task_id, zebra.waiting.task_id, zebra.asking.task_id
    step, digest = pending_step(zebra.waiting).pk, zebra.waiting_plan.digest
    system, standing = f"/systems/{zebra.system.pk}", zebra.standing
    extent = {"sub_type": "BACKUP", "role": "OWNER", "days": 3, "uses_allowed": 1, "period_days": 1, "reason": "x"}
    decision = {"decision": "APPROVE", "digest": digest, "comment": "ok", "password": PASSWORD}
    exception = f"/tasks/{waiting}/exception/{zebra.exception.pk}/"
    asking_for = {"freeze": zebra.freeze.pk, "reason": "why"}
    review = {"decision": "rework", "digest": "d" * 64, "instruction": "얼룩말"}
    record = {"text": "얼룩말", "done_at": "2026-01-01T10:00"}
    pinning = {"decision": "accept", "comparison": "얼룩말"}
    far = {"seen": "zebra", "codes": "ZEBRA-SITE", "when_away": "HALT", "away_seconds": 60, "reason": "얼룩말"}
    said = {"reason": "얼룩말", "text": "얼룩말", "chain": zebra.task_entry.chain.key, "number": 1}
    owners, person = f"/authority/systems/{zebra.system.pk}/", f"/people/{zebra.owner.pk}/"
    role = zebra.owner.memberships.all()[0].pk
    return [
        ("systems/<int:system_pk>/approvals/", "get", f"{system}/approvals/?tier=1", {}),
        ("systems/<int:system_pk>/standing/", "post", f"{system}/standing/", extent),
        (
            "systems/<int:system_pk>/standing/<int:standing_pk>/revoke/",
            "post",
            f"{system}/standing/{standing.pk}/revoke/",
            {},
        ),
        ("servers/keys/ask/", "post", "/servers/keys/ask/", {"server": [zebra.servers[0].pk]}),
        ("servers/keys/<int:scan_pk>/decide/", "post", f"/servers/keys/{zebra.key_scan.pk}/decide/", pinning),
        ("authority/systems/<int:system_pk>/", "get", owners, {}),
        ("authority/systems/<int:system_pk>/", "post", owners, {"owner": zebra.deputy.pk, "sla_minutes": 5}),
        ("authority/roles/<int:membership_pk>/", "post", f"/authority/roles/{role}/", {"authority": "VIEWER"}),
        ("people/<int:user_pk>/", "get", person, {}),
        *(
            (f"people/<int:user_pk>/{act}/", "post", f"{person}{act}/", {"words": "얼룩말", "role": "PM"})
            for act in ("disable", "enable", "unlock", "roles")
        ),
        (
            "people/<int:user_pk>/roles/<int:membership_pk>/end/",
            "post",
            f"{person}roles/{role}/end/",
            {"words": "얼룩말"},
        ),
        ("tasks/<str:task_id>/later/", "post", f"/tasks/{waiting}/later/", {"scheduled_for": ""}),
        ("tasks/<str:task_id>/priority/", "post", f"/tasks/{waiting}/priority/", {"priority": 1, "reason": "why"}),
        ("tasks/<str:task_id>/exception/", "post", f"/tasks/{waiting}/exception/", asking_for),
        ("tasks/<str:task_id>/exception/<int:exception_pk>/", "post", exception, {"decision": "APPROVE"}),
        ("tasks/<str:task_id>/resume/", "post", f"/tasks/{task}/resume/", {"reason": "why"}),
        ("tasks/<str:task_id>/logs/<int:log_pk>/", "post", f"/tasks/{task}/logs/{zebra.core_log.pk}/", {}),
        ("tasks/<str:task_id>/run/<slug:act>/", "post", f"/tasks/{task}/run/pause/", {"reason": "why"}),
        ("tasks/<str:task_id>/run/<slug:act>/", "post", f"/tasks/{task}/run/retry/", {"reason": "why"}),
        (
            "playbooks/<slug:name>/<int:version>/choose/",
            "post",
            "/playbooks/backup/1/choose/",
            {"system": zebra.system.pk, "playbook": ""},
        ),
        ("halt/", "post", "/halt/", {"target": "INSTITUTION:ZEBRA-CODE", "reason": "why"}),
        ("halt/", "post", "/halt/", {"target": f"RUN:{task}", "reason": "why"}),
        ("halt/<int:pk>/lift/", "post", f"/halt/{zebra.halt.pk}/lift/", {"reason": "얼룩말", "password": PASSWORD}),
        *(
            (f"tasks/<str:task_id>/halted/{act}/", "post", f"/tasks/{task}/halted/{act}/", {"reason": "얼룩말"})
            for act in ("resume", "roll-back", "close")
        ),
        ("tasks/<str:task_id>/", "get", f"/tasks/{task}/", {}),
        ("tasks/<str:task_id>/", "get", f"/tasks/{waiting}/", {}),
        ("tasks/<str:task_id>/plan.json", "get", f"/tasks/{task}/plan.json", {}),
        ("tasks/<str:task_id>/result.json", "get", f"/tasks/{task}/result.json", {}),
        ("tasks/<str:task_id>/dry-run/", "get", f"/tasks/{waiting}/dry-run/", {}),
        ("tasks/<str:task_id>/dry-run/", "post", f"/tasks/{waiting}/dry-run/", {}),
        ("tasks/<str:task_id>/dry-run.json", "get", f"/tasks/{task}/dry-run.json", {}),
        ("tasks/<str:task_id>/tables/<int:table_pk>.csv", "post", f"/tasks/{task}/tables/{zebra.table.pk}.csv", {}),
        ("tasks/<str:task_id>/information/", "post", f"/tasks/{asking}/information/", {"text": "재기동"}),
        ("tasks/<str:task_id>/decide/<int:step_pk>/", "post", f"/tasks/{waiting}/decide/{step}/", decision),
        ("tasks/<str:task_id>/start/", "post", f"/tasks/{task}/start/", {}),
        ("tasks/<str:task_id>/withdraw/", "post", f"/tasks/{waiting}/withdraw/", {}),
        ("tasks/<str:task_id>/resubmit/", "post", f"/tasks/{waiting}/resubmit/", {}),
        ("tasks/<str:task_id>/answer/", "post", f"/tasks/{waiting}/answer/", {"words": "2시"}),
        ("tasks/<str:task_id>/ask/<int:step_pk>/", "post", f"/tasks/{waiting}/ask/{step}/", {"words": "언제?"}),
        (
            "tasks/<str:task_id>/reassign/<int:step_pk>/",
            "post",
            f"/tasks/{waiting}/reassign/{step}/",
            {"to": zebra.deputy.pk, "words": "출장"},
        ),
        ("inbox/approve/", "post", "/inbox/approve/", {"step": f"{step}:{digest}"}),
        ("absence/<int:absence_pk>/end/", "post", f"/absence/{zebra.absence.pk}/end/", {"words": "복귀"}),
        ("tasks/<str:task_id>/validate/", "post", f"/tasks/{task}/validate/", {"decision": "accept", "comment": ""}),
        ("tasks/<str:task_id>/evidence/<int:pk>/", "get", f"/tasks/{task}/evidence/{zebra.evidence.pk}/", {}),
        ("tasks/<str:task_id>/changes/<int:revision>.diff", "get", f"/tasks/{task}/changes/1.diff", {}),
        ("tasks/<str:task_id>/changes/<int:revision>/", "post", f"/tasks/{task}/changes/1/", review),
        *(
            (f"tasks/<str:task_id>/{act}/", "post", f"/tasks/{task}/{act}/", {"reason": "얼룩말", **record})
            for act in ("take-over", "record", "close", "not-done", "plan-again")
        ),
        ("gateways/<int:gateway_pk>/", "get", f"/gateways/{zebra.gateway.pk}/", {}),
        *(
            (f"gateways/<int:gateway_pk>/{act}/", "post", f"/gateways/{zebra.gateway.pk}/{act}/", far)
            for act in ("code", "confirm", "sites", "policy", "take-back", "revoke")
        ),
        ("reports/<int:report_pk>/", "get", f"/reports/{zebra.report.pk}/", {}),
        *(
            (f"reports/<int:report_pk>/{act}/", "post", f"/reports/{zebra.report.pk}/{act}/", said)
            for act in ("download", "retry", "explain", "sign-off")
        ),
        ("account/sessions/<int:session_pk>/end/", "post", f"/account/sessions/{zebra.session.pk}/end/", {}),
        ("account/tokens/<int:token_pk>/revoke/", "post", f"/account/tokens/{zebra.token.pk}/revoke/", {}),
    ]


def objects_of_officers(zebra: Zebra) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Of no tenant, and for the officers of all institutions alone: to the people of one they aren't there."""
    policy, change = ApprovalPolicy.objects.all()[0], zebra.policy_change
    return [
        ("policies/<int:policy_pk>/change/", "get", f"/policies/{policy.pk}/change/", {}),
        ("policies/<int:policy_pk>/change/", "post", f"/policies/{policy.pk}/change/", {"name": "x"}),
        ("policies/changes/<int:pk>/decide/", "post", f"/policies/changes/{change.pk}/decide/", {"decision": "accept"}),
    ]


def api_objects_of(zebra: Zebra) -> list[tuple[str, str, str, dict[str, Any]]]:
    decision = {
        "task_id": zebra.waiting.task_id,
        "step_id": pending_step(zebra.waiting).pk,
        "decision": "APPROVE",
        "plan_digest": zebra.waiting_plan.digest,
        "password": PASSWORD,
    }
    order = {"kind": "VERIFICATION", "format": "pdf", "institution": "ZEBRA-CODE", "reason": "x"}
    order |= {"since": "2026-10-01", "until": "2026-10-31"}
    said = {"reason": "x", "text": "x", "finding": "x", "entry_chain": zebra.task_entry.chain.key, "entry_number": 1}
    return [
        ("api/v1/task/history/<str:task_id>", "get", f"/api/v1/task/history/{zebra.task.task_id}", {}),
        ("api/v1/approval/process", "post", "/api/v1/approval/process", decision),
        ("api/v1/run/act", "post", "/api/v1/run/act", {"task_id": zebra.task.task_id, "act": "pause", "reason": "x"}),
        ("api/v1/halt", "post", "/api/v1/halt", {"scope": "INSTITUTION", "institution": "ZEBRA-CODE", "reason": "x"}),
        ("api/v1/halt", "post", "/api/v1/halt", {"scope": "RUN", "task_id": zebra.task.task_id, "reason": "x"}),
        ("api/v1/reports", "post", "/api/v1/reports", order),
        ("api/v1/reports/<int:report_pk>", "get", f"/api/v1/reports/{zebra.report.pk}", {}),
        *(
            (f"api/v1/reports/<int:report_pk>/{act}", "post", f"/api/v1/reports/{zebra.report.pk}/{act}", said)
            for act in ("download", "retry", "explain", "sign-off")
        ),
        ("api/v1/halt/lift", "post", "/api/v1/halt/lift", {"halt_id": zebra.halt.pk, "reason": "x"}),
    ]


INTAKE = "api/v1/sr/intake"  # its bad bodies are in test_api_intake


def test_every_door_is_listed() -> None:
    zebra = Zebra()
    listed = {*PUBLIC, *PAGES, *STAFF_PAGES, *API_PAGES, *OWN_ACTS, INTAKE}
    listed |= {pattern for pattern, *_rest in [*objects_of(zebra), *objects_of_officers(zebra), *api_objects_of(zebra)]}
    doors = {pattern for pattern in all_patterns() if not is_of_a_model(pattern)}
    assert doors == listed


def is_of_a_model(pattern: str) -> bool:
    """Pages of one model or app in the admin: those are `test_tenancy_admin`'s."""
    top, second, *_rest = [*pattern.split("/"), ""]
    return top == "admin" and (second in {app.label for app in apps.get_app_configs()} or "app_label" in second)


def test_a_stranger_is_sent_to_the_log_in_everywhere() -> None:
    zebra = Zebra()
    pages = [path for paths in [*PAGES.values(), *STAFF_PAGES.values()] for path in paths]
    with nothing_changes():
        for path in pages:
            response = browser().get(path)
            assert response.status_code == 302 and "login" in response["Location"], path
        acts = [(act, "post", f"/{act}", {}) for act in OWN_ACTS]
        for _pattern, method, path, body in [*acts, *objects_of(zebra), *objects_of_officers(zebra)]:
            response = getattr(browser(), method)(path, body)
            assert response.status_code == 302 and "login" in response["Location"], path
        for _pattern, method, path, body in [*api_objects_of(zebra), ("", "get", "/api/schema/", {})]:
            assert getattr(api(), method)(path, body, format="json").status_code == 401, path
        for path in ("/login/", "/health/live", "/health/ready", "/api/docs/"):
            assert_unseen(browser().get(path).content, path)


def test_pages_show_nothing_of_the_other_tenant_to_anybody() -> None:
    Zebra()
    neighbour = Neighbour()
    for role, person in neighbour.people.items():
        tables = [PAGES, API_PAGES] if role == "SITE_MANAGER" else [PAGES, API_PAGES, STAFF_PAGES]
        client = browser(person)
        for path in [path for table in tables for paths in table.values() for path in paths]:
            response = client.get(path, follow=True)
            assert response.status_code in (200, 403, 404), (path, response.status_code)
            assert_unseen(response.content, (role, path))


def test_objects_of_the_other_tenant_are_not_there_and_cannot_be_acted_on() -> None:
    zebra, neighbour = Zebra(), Neighbour()
    clients = [(browser(person), api(person)) for person in neighbour.people.values()]
    with nothing_changes():
        for pages, client in clients:
            for _pattern, method, path, body in [*objects_of(zebra), *objects_of_officers(zebra)]:
                response = getattr(pages, method)(path, body)
                assert response.status_code == 404, path
                assert_unseen(response.content, path)
            for _pattern, method, path, body in api_objects_of(zebra):
                response = getattr(client, method)(path, body, format="json")
                assert response.status_code == 404, path
                assert_unseen(response.content, path)


def test_an_own_task_is_no_way_to_another_tenants_step() -> None:
    zebra, neighbour = Zebra(), Neighbour()
    body = {"decision": "APPROVE", "digest": zebra.waiting_plan.digest, "password": PASSWORD}
    client = browser(neighbour.owner)
    with nothing_changes():
        path = f"/tasks/{neighbour.task.task_id}/decide/{pending_step(zebra.waiting).pk}/"
        assert client.post(path, body).status_code == 404


def test_the_tenants_own_people_see_what_strangers_do_not() -> None:
    """The control: these very requests find the objects for those they belong to."""
    zebra = Zebra()
    client = browser(zebra.pm)
    for path in ("/", "/tasks/", "/admin/", "/queue/", "/calendar/"):
        assert "얼룩말" in client.get(path).content.decode(), path
    for _pattern, method, path, body in objects_of(zebra):
        assert getattr(client, method)(path, body).status_code in (200, 302, 403, 409), path
    history = api(zebra.pm).get(f"/api/v1/task/history/{zebra.task.task_id}")
    assert history.status_code == 200 and "얼룩말" in history.content.decode()
