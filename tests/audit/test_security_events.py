"""The list of security events: what is one, who sees it, and that its words are those the chain uses."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from audit.security import ACTIONS, EVENTS
from audit.services.record import record
from tests.doors import browser
from tests.factories import Tenant, make_user

pytestmark = pytest.mark.django_db
APPS = ("accounts", "audit", "cmdb", "execution", "governance", "guardia", "tickets")


def shown(user: User, kind: str) -> str:
    response = browser(user).get(reverse("admin:audit_entry_changelist"), {"security": kind})
    assert response.status_code == 200
    found: str = response.content.decode()
    return found


def test_every_event_is_an_act_that_the_chain_is_told() -> None:
    told: set[str] = set()
    for app in APPS:
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            if path.name != "security.py":
                told |= set(re.findall(r'"([a-z_]+\.[a-z_]+)"', path.read_text(encoding="utf-8")))
    assert set(ACTIONS) <= told
    assert len(ACTIONS) == len(set(ACTIONS)) > 30


def test_events_are_listed_by_kind_and_nothing_else_is() -> None:
    tenant, auditor = Tenant(), make_user(Role.AUDITOR)
    tenant.file()
    browser().post(reverse("login"), {"username": "nobody-here", "password": "wrong"})
    record_of(tenant, "halt.pressed")
    everything, halts, refused = (shown(auditor, kind) for kind in ("all", "halts", "refused"))
    assert "halt.pressed" in everything and "session.login_failed" in everything
    assert "task.received" not in everything and Entry.objects.filter(action="task.received").exists()
    assert "halt.pressed" in halts and "session.login_failed" not in halts
    assert "session.login_failed" in refused and "halt.pressed" not in refused
    for kind in EVENTS:
        shown(auditor, kind)
    assert "task.received" in shown(auditor, "no-such-kind"), "an unknown kind filters nothing"


def test_members_see_their_institutions_events_alone() -> None:
    tenant, other = Tenant(), Tenant()
    record_of(tenant, "halt.pressed")
    officer = make_user(Role.SECURITY_OFFICER, other.institution)
    assert "halt.pressed" not in shown(officer, "all")
    assert "halt.pressed" in shown(make_user(Role.SECURITY_OFFICER, tenant.institution), "all")


def record_of(tenant: Tenant, action: str) -> None:
    record(action=action, actor="test", institution=tenant.institution)
