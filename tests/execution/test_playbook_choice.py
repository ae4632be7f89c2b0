"""Which version of a playbook serves which system: the newest, or the one that its operator chose."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.choices import Role
from audit.models import Entry
from execution.models import Playbook, PlaybookChoice
from execution.plan.build import playbook_for
from execution.playbooks.publish import publish_playbook
from execution.rollout.start_run import start_run
from tests.factories import Tenant, make_institution, make_user
from tickets.models import OpsTask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


def choose(tenant: Tenant, version: int | str, who: str) -> str:
    out = StringIO()
    call_command("playbooks", "choose", tenant.system.code, "was-rolling", str(version), "--as", who, stdout=out)
    return out.getvalue()


def next_version(old: Playbook) -> Playbook:
    source = old.source.replace(f"version: {old.version}", f"version: {old.version + 1}")
    return publish_playbook(actor="test", source=source)


def test_a_system_keeps_the_version_that_its_operator_chose() -> None:
    tenant, other = Tenant(servers=1), Tenant(servers=1)
    operator = make_user(Role.OPERATOR, tenant.institution)
    task, _plan = tenant.approved()
    theirs, _plan = other.planned()
    old = playbook_for(task)
    newer = next_version(old)
    assert playbook_for(task) == newer == playbook_for(theirs)
    assert str(old) in choose(tenant, old.version, operator.username)
    assert (playbook_for(task), playbook_for(theirs)) == (old, newer)
    assert start_run(task.pk) is not None, "the approved plan is still what the rows say"
    assert old.digest in Entry.objects.get(action="playbook.chosen").body
    choose(tenant, "newest", operator.username)
    assert playbook_for(task) == newer and not PlaybookChoice.objects.exists()


def test_choosing_another_version_voids_approvals() -> None:
    tenant = Tenant(servers=1)
    operator = make_user(Role.OPERATOR, tenant.institution)
    task, _plan = tenant.approved()
    choose(tenant, next_version(playbook_for(task)).version, operator.username)
    assert start_run(task.pk) is None and OpsTask.objects.get(pk=task.pk).status == "PEN"


def test_only_an_operator_of_the_system_chooses_and_only_what_there_is() -> None:
    tenant, stranger = Tenant(servers=1), make_user(Role.OPERATOR, make_institution())
    for version, who in ((2, stranger.username), (2, "nobody"), (77, stranger.username), ("x", stranger.username)):
        with pytest.raises(CommandError):
            choose(tenant, version, who)
    assert not PlaybookChoice.objects.exists()
