"""Personal API tokens: shown once, within their scopes, until they end."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework.permissions import IsAuthenticated
from rest_framework.test import APIClient
from rest_framework.views import APIView

from accounts.api.permissions import ScopeAllows
from accounts.api.throttles import RateThrottle
from accounts.choices import TokenScope
from accounts.models import ApiToken, User
from accounts.services.tokens import create_token, revoke_token
from audit.models import Entry
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotVisible
from tests.audit.words import words_of
from tests.doors import DECIDE, HISTORY, INTAKE, assert_refused, browser
from tests.factories import PASSWORD, Tenant, make_user
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db
#: Views of the API that no personal token opens.
CLOSED = {
    "TokenView",
    "RefreshView",
    "SpectacularAPIView",
    "SpectacularSwaggerSplitView",
    "LiftView",
    "RunActView",
    *(f"Report{act}View" for act in ("Download", "Retry", "Explain", "SignOff")),
}


def client_of(clear: str) -> APIClient:
    client = APIClient(HTTP_ACCEPT_LANGUAGE="en")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {clear}")
    return client


def token_for(user: User, *scopes: str, days: int = 30) -> tuple[ApiToken, str]:
    return create_token(actor=user, name="배치", scopes=scopes, days=days)


def views_of(patterns: list[Any]) -> set[type[APIView]]:
    found: set[type[APIView]] = set()
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            found |= views_of(pattern.url_patterns)
        elif issubclass(view := getattr(pattern.callback, "cls", object), APIView):
            found.add(view)
    return found


def test_every_view_of_the_api_declares_its_scope_or_is_closed_to_tokens() -> None:
    views = views_of(get_resolver().url_patterns)
    assert len(views) >= 7
    for view in views:
        if view.__name__ in CLOSED:
            assert getattr(view, "token_scope", None) is None
            assert ScopeAllows in view.permission_classes or view.authentication_classes == ()
        else:
            assert view.token_scope in TokenScope, view  # type: ignore[attr-defined]
            assert [IsAuthenticated, ScopeAllows] == list(view.permission_classes), view
            assert [RateThrottle] == list(view.throttle_classes), view


@pytest.mark.parametrize("held", TokenScope.values)
def test_a_token_opens_its_scope_and_nothing_else(held: str) -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    _token, clear = token_for(tenant.owner, held)
    client = client_of(clear)
    decision = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest, "password": PASSWORD}
    answers = {
        "read": client.get(HISTORY + task.task_id),
        "file": client.post(INTAKE, {"text": f"{tenant.system.name} 상태 점검해 주세요"}, format="json"),
        "approve": client.post(DECIDE, decision, format="json"),
    }
    for scope, response in answers.items():
        if scope == held:
            assert response.status_code in (200, 201), response.content
        else:
            assert_refused(response, 403, "scope_missing")
    for closed in ("/api/schema/",):
        assert client.get(closed).status_code == 403
    assert client.get("/tasks/").status_code == 302  # no page opens by a token


def test_a_token_is_no_way_to_approve_ones_own_request_nor_without_proof() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    body = {"task_id": task.task_id, "decision": "APPROVE", "plan_digest": plan.digest}
    _token, clear = token_for(tenant.site_manager, "approve")
    own = {**body, "password": PASSWORD}
    assert_refused(client_of(clear).post(DECIDE, own, format="json"), 403, "self_approval")
    _token, clear = token_for(tenant.owner, "approve")
    ApiToken.objects.update(last_used_at=now())
    with nothing_changes():
        assert_refused(client_of(clear).post(DECIDE, body, format="json"), 403, "proof_missing")


def test_what_is_not_a_living_token_opens_nothing() -> None:
    user = make_user()
    token, clear = token_for(user, "read")
    path = HISTORY + "OPS-20260101-001"
    assert client_of(clear).get(path).status_code == 404
    for change, back in (
        ({"expires_at": now()}, {"expires_at": token.expires_at}),
        ({"revoked_at": now()}, {"revoked_at": None}),
    ):
        ApiToken.objects.update(**change)
        assert_refused(client_of(clear).get(path), 401, "token_not_valid")
        ApiToken.objects.update(**back)
    for wrong in (clear[:-1], clear + "A", "grd_", "grd_" + "x" * 5000, clear.upper()):
        assert client_of(wrong).get(path).status_code == 401, wrong
    User.objects.update(is_active=False)
    assert_refused(client_of(clear).get(path), 401, "token_not_valid")


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("", ["read"], 1),
        ("a" * 65, ["read"], 1),
        ("a", [], 1),
        ("a", ["root"], 1),
        ("a", ["read"], 0),
        ("a", ["read"], 366),
    ],
)
def test_bad_tokens_are_not_made(name: str, scopes: list[str], days: int) -> None:
    user = make_user()
    with nothing_changes(), pytest.raises(InvalidInput):
        create_token(actor=user, name=name, scopes=scopes, days=days)


def test_a_token_is_shown_once_and_its_making_and_end_are_in_the_chain() -> None:
    user, other = make_user(), make_user()
    client = browser(user)
    assert "/account/confirm/" in client.get("/account/tokens/new/")["Location"]
    client.post("/account/confirm/", {"password": PASSWORD})
    page = client.post("/account/tokens/new/", {"name": "야간 점검", "scopes": ["read"], "days": 30}).content.decode()
    found = re.search(r"grd_[\w-]{43}", page)
    assert found is not None
    token = ApiToken.objects.get(user=user)
    account = client.get("/account/").content.decode()
    assert found[0] not in account and token.prefix in account and found[0] not in str(ApiToken.objects.values())
    assert token.expires_at - now() <= timedelta(days=30)
    with nothing_changes(), pytest.raises(NotVisible):
        revoke_token(actor=other, token_pk=token.pk)
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert client_of(found[0]).get(HISTORY + "x").status_code == 401
    entries = Entry.objects.filter(action__startswith="token.").order_by("pk")
    assert [entry.action for entry in entries] == ["token.created", "token.revoked"]
    assert not any(found[0] in words_of(entry) for entry in entries)


def test_each_token_has_a_rate_of_its_own(settings: Any) -> None:
    settings.GUARDIA_RATE_TOKEN = "3/min"
    user = make_user()
    (_a, first), (_b, second) = token_for(user, "read"), token_for(user, "read")
    answers = [client_of(first).get(HISTORY + "x").status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]
    assert client_of(second).get(HISTORY + "x").status_code == 404
