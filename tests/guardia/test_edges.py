"""Requests that nobody should make: each gets a clear answer, and nothing of it stays in a cache."""

import asyncio
from typing import Any

import pytest
from django.test import Client, override_settings

from accounts.choices import Role
from guardia.asgi import application
from tests.factories import Tenant, make_user

pytestmark = pytest.mark.django_db

ODD_FILTERS = (
    "/admin/tickets/opstask/?status__exact=%00",
    "/admin/governance/approvalstep/?status__exact=%00",
    "/admin/execution/run/?status__exact=%00",
    "/admin/execution/plan/?created_at__year=99999999",
)


@pytest.mark.parametrize("url", ODD_FILTERS)
def test_a_filter_that_makes_no_sense_leads_back_to_the_list(client: Client, url: str) -> None:
    tenant = Tenant()
    client.force_login(make_user(Role.OPERATOR, tenant.institution))
    response = client.get(url)
    assert response.status_code == 302 and response["Location"].endswith("?e=1")


def test_answers_stay_out_of_caches(client: Client) -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    client.force_login(tenant.owner)
    for path in ("/", f"/tasks/{task.task_id}/", f"/tasks/{task.task_id}/plan.json", "/admin/"):
        assert "no-store" in client.get(path)["Cache-Control"], path


def test_an_unknown_address_of_the_api_is_told_in_its_own_form(client: Client) -> None:
    response = client.get("/api/v1/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
def test_a_body_that_is_too_large_is_refused_in_the_form_of_the_door(client: Client) -> None:
    client.force_login(Tenant().site_manager)
    api = client.post("/api/v1/sr/intake", {"text": "가" * 2000}, content_type="application/json")
    assert api.status_code in (400, 413) and "code" in api.json()
    page = client.post("/tasks/new/", "text=" + "x" * 2000, content_type="application/x-www-form-urlencoded")
    assert page.status_code == 400 and "<html" in page.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/ws/", "/ws/nope/", "/ws/runs/abc/", "/"])
def test_a_websocket_to_nowhere_is_closed(path: str) -> None:
    sent: list[dict[str, Any]] = []

    async def knock() -> None:
        messages = iter([{"type": "websocket.connect"}])

        async def receive() -> dict[str, Any]:
            try:
                return next(messages)
            except StopIteration:
                await asyncio.sleep(0.2)
                return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"testserver"), (b"origin", b"http://testserver")],
        }
        await application(scope, receive, send)

    asyncio.run(knock())
    assert [message["type"] for message in sent] == ["websocket.close"]
