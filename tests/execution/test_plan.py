"""Plans: the same rows give the same bytes; what changes after the approvals voids them, and nothing connects."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction

from cmdb.services.save_profile import save_profile
from cmdb.services.store_credential import store_credential
from execution.models import Plan, Playbook, Run
from execution.plan.build import build_document, playbook_for
from execution.plan.compare import changed_parts
from execution.plan.prepare import freeze_plan, prepare_plan
from execution.playbooks.publish import SHIPPED, publish_playbook
from execution.rollout.start_run import start_run
from governance.models import ApprovalStep
from guardia.common.canonical import canonical_bytes
from guardia.common.errors import StaleState
from notifications.models import Notification
from tests.factories import Tenant, approve, make_server, make_user
from tickets.models import OpsTask
from tickets.services.file_task import attach
from tickets.services.store_artefact import store_artefact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=2)


def new_playbook(tenant: Tenant, task: OpsTask) -> None:
    source = (SHIPPED / "was_rolling.yaml").read_text().replace("version: 2", "version: 3")
    publish_playbook(actor="test", source=source)


def other_parameters(tenant: Tenant, task: OpsTask) -> None:
    OpsTask.objects.filter(pk=task.pk).update(params={**task.params, "version": "9.9.9"})


def fewer_targets(tenant: Tenant, task: OpsTask) -> None:
    task.servers.remove(tenant.servers[1])


def other_address(tenant: Tenant, task: OpsTask) -> None:
    tenant.servers[0].address = "127.9.9.9"
    tenant.servers[0].save()


def new_profile(tenant: Tenant, task: OpsTask) -> None:
    save_profile(actor=make_user(), profile=tenant.servers[0].profile)


def other_artefact(tenant: Tenant, task: OpsTask) -> None:
    with transaction.atomic():
        attach(task, store_artefact(SimpleUploadedFile("app.war", b"other bytes")), by=task.requester)


def new_credential(tenant: Tenant, task: OpsTask) -> None:
    credential = tenant.servers[0].credential
    assert credential is not None
    store_credential(
        actor=make_user(is_superuser=True),
        institution=tenant.institution,
        name=credential.name,
        kind="password",
        username=credential.username,
        secret="another",
    )


def other_host_key(tenant: Tenant, task: OpsTask) -> None:
    tenant.servers[0].host_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtherOtherOtherOtherOtherOtherOtherOther0"]
    tenant.servers[0].save()


def stricter_tier(tenant: Tenant, task: OpsTask) -> None:
    tenant.servers[0].site.tier = 1
    tenant.servers[0].site.save()


HOST = "host-"
CHANGES: list[tuple[Callable[[Tenant, OpsTask], None], list[str]]] = [
    (new_playbook, ["playbook"]),
    (other_parameters, ["parameters"]),
    (fewer_targets, ["waves", HOST]),
    (other_address, [HOST]),
    (new_profile, [HOST, HOST]),
    (other_artefact, ["artefact", HOST, HOST]),
    (new_credential, [HOST]),
    (other_host_key, [HOST]),
    (stricter_tier, ["waves", HOST]),
]


def same_parts(found: list[str], expected: list[str]) -> bool:
    return len(found) == len(expected) and all(
        part.startswith(word) for part, word in zip(found, expected, strict=True)
    )


def test_the_same_rows_give_the_same_plan(tenant: Tenant) -> None:
    task, plan = tenant.planned()
    again = canonical_bytes(build_document(task, playbook_for(task)))
    assert again == plan.document.encode()
    assert hashlib.sha256(again).hexdigest() == plan.digest
    assert freeze_plan(task).pk == plan.pk


@pytest.mark.parametrize(("change", "parts"), CHANGES, ids=[change.__name__ for change, _parts in CHANGES])
def test_a_change_after_the_approvals_voids_them(
    tenant: Tenant, change: Callable[[Tenant, OpsTask], None], parts: list[str]
) -> None:
    task, plan = tenant.approved()
    change(tenant, task)
    assert start_run(task.pk) is None
    task = OpsTask.objects.get(pk=task.pk)
    new = Plan.objects.filter(task=task).first()
    assert new is not None and new.digest != plan.digest
    assert task.status == "PEN"
    found = changed_parts(plan.content, new.content)
    assert same_parts(found, parts), found
    assert task.reason == ", ".join(found)
    first, second = task.rounds.order_by("number")
    assert (first.status, first.plan_digest) == ("VOID", plan.digest)
    assert (second.status, second.plan_digest) == ("OPEN", new.digest)
    kept = ApprovalStep.objects.filter(round=first)
    assert {(step.status, step.digest_seen) for step in kept} == {("APPROVED", plan.digest)}
    for person in (tenant.site_manager, tenant.pm):
        told = Notification.objects.get(recipient=person, kind="plan_voided")
        assert all(part in told.text for part in found)
    assert not Run.objects.exists()


def test_what_was_voided_is_approved_again_and_runs(tenant: Tenant) -> None:
    task, _plan = tenant.approved()
    other_parameters(tenant, task)
    start_run(task.pk)
    new = Plan.objects.filter(task=task).first()
    assert new is not None
    for person in (tenant.owner, tenant.pm):
        approve(task, new, person)
    run = start_run(task.pk)
    assert run is not None
    assert run.plan.digest == new.digest


def test_a_change_before_the_first_approval_is_found_at_the_start(tenant: Tenant) -> None:
    task, plan = tenant.planned()
    other_address(tenant, task)
    for person in (tenant.owner, tenant.pm):
        approve(task, plan, person)
    assert start_run(task.pk) is None
    assert OpsTask.objects.get(pk=task.pk).status == "PEN"


def test_where_nobody_can_be_asked_again_the_task_waits_with_the_reason(tenant: Tenant) -> None:
    task, plan = tenant.approved()
    other_parameters(tenant, task)
    tenant.pm.is_active = False
    tenant.pm.save()
    for _ in range(2):  # the sweep rings again and again
        assert start_run(task.pk) is None
        waiting = OpsTask.objects.get(pk=task.pk)
        assert waiting.status == "APP"
        assert "Project manager" in waiting.reason
    tenant.pm.is_active = True
    tenant.pm.save()
    start_run(task.pk)
    assert OpsTask.objects.get(pk=task.pk).status == "PEN"
    assert Plan.objects.filter(task=task).exclude(pk=plan.pk).exists()


@pytest.mark.parametrize("lost", ["credential", "is_active"])
def test_a_server_that_can_no_longer_be_planned_sends_the_task_to_people(tenant: Tenant, lost: str) -> None:
    task, _plan = tenant.approved()
    setattr(tenant.servers[0], lost, None if lost == "credential" else False)
    tenant.servers[0].save()
    assert start_run(task.pk) is None
    stopped = OpsTask.objects.get(pk=task.pk)
    assert stopped.status == "MAN"
    assert tenant.servers[0].hostname in stopped.reason
    assert not Run.objects.exists()


@pytest.mark.parametrize("model", [Plan, Playbook])
@pytest.mark.parametrize("act", ["update", "delete", "save"])
def test_plans_and_playbooks_cannot_be_changed(tenant: Tenant, model: Any, act: str) -> None:
    tenant.planned()
    row = model.objects.first()
    acts: dict[str, Callable[[], object]] = {
        "update": lambda: model.objects.update(digest="0" * 64),
        "delete": lambda: model.objects.filter(pk=row.pk)._raw_delete("default"),
        "save": row.save,
    }
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        acts[act]()
    assert model.objects.get(pk=row.pk).digest == row.digest


def test_a_published_version_is_never_another_text(tenant: Tenant) -> None:
    source = (SHIPPED / "was_rolling.yaml").read_text()
    before = Playbook.objects.count()
    publish_playbook(actor="test", source=source)
    with pytest.raises(StaleState):
        publish_playbook(actor="test", source=source + "# another\n")
    assert Playbook.objects.count() == before


def no_playbook(task: OpsTask, tenant: Tenant) -> None:
    OpsTask.objects.filter(pk=task.pk).update(sub_type="")


def no_servers(task: OpsTask, tenant: Tenant) -> None:
    task.servers.clear()


def no_credential(task: OpsTask, tenant: Tenant) -> None:
    tenant.servers[0].credential = None
    tenant.servers[0].save()


def no_artefact(task: OpsTask, tenant: Tenant) -> None:
    task.artefacts.all().delete()


def nobody_to_ask(task: OpsTask, tenant: Tenant) -> None:
    tenant.pm.memberships.all().delete()


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (no_playbook, "no playbook"),
        (no_servers, "No server is named"),
        (no_credential, "has no credential"),
        (no_artefact, "needs a file"),
        (nobody_to_ask, "Nobody can be asked"),
    ],
)
def test_what_cannot_be_planned_goes_to_people(
    tenant: Tenant, lack: Callable[[OpsTask, Tenant], None], words: str
) -> None:
    task = tenant.file()
    lack(task, tenant)
    assert prepare_plan(task.pk) is None
    task = OpsTask.objects.get(pk=task.pk)
    assert task.status == "MAN"
    assert words in task.reason
    assert not Plan.objects.exists()


def test_a_plan_holds_no_secret_and_names_every_server() -> None:
    tenant = Tenant(servers=1)
    from cmdb.vault import seal

    credential = tenant.servers[0].credential
    assert credential is not None
    seal(credential, "c4nary-in-the-plan")
    credential.save()
    _task, plan = tenant.planned()
    assert "c4nary" not in plan.document
    assert bytes(credential.sealed).hex() not in plan.document
    assert str(credential.pk) in plan.document
    assert set(plan.content["hosts"]) == {tenant.servers[0].hostname}


def test_another_systems_server_changes_nothing(tenant: Tenant) -> None:
    task, plan = tenant.approved()
    make_server(tenant.system)
    run = start_run(task.pk)
    assert run is not None and run.plan_id == plan.pk
