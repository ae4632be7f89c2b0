"""Clients for the doors: the API with a bearer token, the pages with a session."""

from typing import Any

from django.test import Client
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import User

INTAKE, DECIDE, HISTORY = "/api/v1/sr/intake", "/api/v1/approval/process", "/api/v1/task/history/"


def api(user: User | None = None, language: str = "en") -> APIClient:
    """A client of the API; with a user, it carries a fresh token of theirs."""
    client = APIClient(HTTP_ACCEPT_LANGUAGE=language)
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {RefreshToken.for_user(user).access_token}")
    return client


def browser(user: User | None = None, language: str = "en") -> Client:
    """A client of the pages, logged in when a user is given."""
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def assert_refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The answer is our one form of an error, with this status and code; returns it."""
    assert response.status_code == status, response.content[:500]
    body: dict[str, Any] = response.json()
    assert set(body) == {"code", "message", "details"} and body["code"] == code and body["message"], body
    return body
