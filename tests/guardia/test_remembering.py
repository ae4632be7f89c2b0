"""What a page remembers of its reader's roles: for that page alone, and never for an act."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import Membership
from accounts.scope import holds_role, visible_to
from guardia.common.context import remembered, remembering
from tests.doors import browser
from tests.factories import Tenant, due_steps
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db
#: What the user who asks holds comes with their session.
_ALONE, _OF_THE_USER = (
    'SELECT "accounts_membership"',
    'FROM "accounts_membership" U0 WHERE U0."user_id" = ("accounts_usersession"."user_id")',
)


def test_a_page_reads_the_memberships_once_and_the_next_page_anew() -> None:
    tenant = Tenant(servers=1)
    [step] = due_steps(tenant, 1)
    client, number = browser(tenant.pm), step.round.task.task_id
    for path in ("/", "/tasks/", "/queue/", "/inbox/"):
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        asked = [row["sql"] for row in queries if row["sql"].startswith(_ALONE) or _OF_THE_USER in row["sql"]]
        assert len(asked) == 1, (path, asked)
    assert number in client.get("/tasks/").content.decode()
    Membership.objects.filter(user=tenant.pm).delete()
    assert number not in client.get("/tasks/").content.decode()
    assert client.get(f"/tasks/{number}/").status_code == 404


def test_outside_of_a_page_every_question_is_asked() -> None:
    tenant = Tenant(servers=1)
    due_steps(tenant, 1)
    assert holds_role(tenant.pm, Role.PM, tenant.institution.pk) and visible_to(OpsTask.objects.all(), tenant.pm)
    Membership.objects.filter(user=tenant.pm).delete()
    assert not holds_role(tenant.pm, Role.PM, tenant.institution.pk)
    assert not visible_to(OpsTask.objects.all(), tenant.pm)


def test_what_is_remembered_ends_with_its_block() -> None:
    answers = iter(range(9))

    def ask() -> int:
        return remembered("question", lambda: next(answers))

    with remembering():
        assert (ask(), ask()) == (0, 0)
        with remembering():
            assert ask() == 1
        assert ask() == 0
    assert (ask(), ask()) == (2, 3)
