"""Another site can't make a logged-in browser act: every address that takes a form asks for its token, cookies stay
ours, and the production settings pass Django's own check."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import User, UserSession
from execution.models import Halt
from guardia.common.clock import now
from tests.doors import INTAKE
from tests.factories import PASSWORD, Tenant, make_user
from tests.guardia.urls_of import all_patterns
from tests.snapshot import nothing_changes

ROOT = Path(__file__).resolve().parents[2]
#: Signed messages of gateways, and what bears its proof in a header or in the body: no cookie counts there.
NO_COOKIE_COUNTS = ("gateway/v1/", "api/v1/token/")


@pytest.fixture
def unbounded(settings: Any) -> None:
    """More forms than anybody sends in a minute."""
    settings.GUARDIA_RATE_REQUESTS = settings.GUARDIA_RATE_FORMS = "off"


def addresses() -> list[str]:
    """Every address of the project with something for each of its places."""
    found = []
    for pattern in sorted(all_patterns()):
        if "(?P" in pattern or pattern.startswith(NO_COOKIE_COUNTS):
            continue
        path = re.sub(r"<int:\w+>", "1", pattern)
        found.append("/" + re.sub(r"<(?:\w+:)?\w+>", "x", path).replace("^", "").replace("$", "").replace("\\", ""))
    return found


@pytest.mark.django_db
def test_no_address_takes_a_form_without_its_token(unbounded: None) -> None:
    Tenant()
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("of-all"), backend=django_settings.AUTHENTICATION_BACKENDS[-1])
    tried = addresses()
    assert len(tried) > 150
    UserSession.objects.update(last_seen_at=now() + timedelta(hours=1))  # not noted anew while this goes on
    open_ones = {}
    with nothing_changes():
        for path in tried:
            kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
            status = client.post(path, data=b"{}", content_type=kind).status_code
            if status != 403:
                open_ones[path] = status
    assert open_ones == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:444"},
        {"Origin": "http://testserver@evil.example"},
    ],
)
def test_a_right_token_from_another_origin_counts_for_nothing(headers: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("of-all"), backend=django_settings.AUTHENTICATION_BACKENDS[-1])
    token = client.get("/halt/").cookies["csrftoken"].value
    form = {"scope": "GLOBAL", "reason": "시험", "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post("/halt/", form, headers=headers).status_code == 403
    assert not Halt.objects.exists()
    assert client.post("/halt/", form, headers={"Origin": "http://testserver"}).status_code != 403


@pytest.mark.django_db
def test_a_session_alone_files_nothing_by_the_api() -> None:
    tenant = Tenant()
    client = Client(enforce_csrf_checks=True)
    client.force_login(tenant.site_manager, backend=django_settings.AUTHENTICATION_BACKENDS[-1])
    client.get("/account/")
    body = json.dumps({"text": f"{tenant.system.name} 점검해 주세요"})
    with nothing_changes():
        assert client.post(INTAKE, body, content_type="application/json").status_code == 403
        assert client.post(INTAKE, body, content_type="text/plain").status_code in (403, 415)


def by_production_settings(*command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """A command with the settings that docs/operations.md asks of a real installation; it asks no database."""
    environment = {
        **os.environ,
        "GUARDIA_DATABASE_URL": "postgres://guardia:secret@127.0.0.1:1/guardia",
        "GUARDIA_SECRET_KEY": "only-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG",
        "GUARDIA_HTTPS": "true",
        "GUARDIA_ALLOWED_HOSTS": "ops.example.go.kr",
        "GUARDIA_TRUSTED_ORIGINS": "https://ops.example.go.kr",
        "GUARDIA_TRUSTED_PROXIES": "10.0.0.5",
        "GUARDIA_SERVER_NETWORKS": "10.0.0.0/8",
        **changes,
    }
    program = [sys.executable, *command]
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.slow  # `make check` asks the same
def test_djangos_own_check_finds_nothing_in_the_production_settings() -> None:
    command = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    done = by_production_settings(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    for change in ({"GUARDIA_HTTPS": "false"}, {"GUARDIA_SERVER_NETWORKS": ""}, {"GUARDIA_RATE_FORMS": "many"}):
        assert by_production_settings(*command, **change).returncode == 1, change


def test_production_cookies_and_headers() -> None:
    program = """
import json, django
django.setup()
from django.conf import settings
from django.test import RequestFactory
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware
door, host = SecurityMiddleware(lambda request: HttpResponse()), "ops.example.go.kr"
answer = door(RequestFactory().get("/", secure=True, HTTP_HOST=host))
clear = door(RequestFactory().get("/x", HTTP_HOST=host, HTTP_X_FORWARDED_PROTO="https"))
print(json.dumps({
    "cookies": [getattr(settings, f"{kind}_COOKIE_{flag}") for kind in ("SESSION", "CSRF", "LANGUAGE")
                for flag in ("SECURE", "SAMESITE")],
    "httponly": settings.SESSION_COOKIE_HTTPONLY,
    "headers": dict(answer.items()), "clear": [clear.status_code, clear["Location"]],
}))
"""
    done = by_production_settings("-c", program, DJANGO_SETTINGS_MODULE="guardia.settings")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["cookies"] == [True, "Lax"] * 3 and said["httponly"] is True
    hsts = said["headers"]["Strict-Transport-Security"]
    assert int(re.findall(r"max-age=(\d+)", hsts)[0]) >= 31_536_000 and "includeSubDomains" in hsts
    assert said["headers"]["X-Content-Type-Options"] == "nosniff"
    assert said["headers"]["Referrer-Policy"] == "same-origin"
    assert said["clear"] == [301, "https://ops.example.go.kr/x"], "a header that anybody can send is no TLS"


@pytest.mark.django_db
def test_cookies_are_for_this_site_alone(client: Client) -> None:
    user = make_user()
    client.get("/login/")
    answer = client.post("/login/", {"username": user.username, "password": PASSWORD})
    session, token = answer.cookies["sessionid"], client.cookies["csrftoken"]
    assert session["httponly"] and session["samesite"] == "Lax" and token["samesite"] == "Lax"
    assert session["domain"] == "" and session["path"] == "/"
    assert answer["X-Frame-Options"] == "DENY"
