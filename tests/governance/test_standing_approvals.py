"""Standing pre-approvals: who may give them, when they count, and every case in which a person is asked instead."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from cmdb.choices import Tier
from execution.models import Plan
from execution.plan.prepare import prepare_plan
from governance.choices import StepRole
from governance.models import ApprovalPolicy, ApprovalStep, PolicyStep, StandingApproval, SystemOwner
from governance.selectors import approved_digest
from governance.services.standing_approvals import revoke_standing_approval
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from tests.factories import Tenant, make_user, stand
from tests.snapshot import nothing_changes
from tests.threads import race
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


def restart(tenant: Tenant, actor: User | None = None) -> tuple[OpsTask, Plan]:
    return tenant.planned(actor=actor, text=f"{tenant.system.name} WAS 전체 재기동 부탁드립니다")


def first_step(task: OpsTask) -> ApprovalStep:
    return ApprovalStep.objects.filter(round__task=task).order_by("-round__number", "order")[0]


def test_what_was_approved_beforehand_is_approved_in_the_givers_name() -> None:
    tenant = Tenant()
    standing = stand(tenant)
    task, plan = restart(tenant)
    step = first_step(task)
    assert (step.status, step.satisfied_by, step.standing_approval, step.decided_by, step.digest_seen) == (
        "APPROVED",
        "STANDING",
        standing,
        tenant.owner,
        plan.digest,
    )
    assert task.status == "APP" and approved_digest(task) == plan.digest
    entry = Entry.objects.filter(action="approval.approved").earliest("pk")
    assert entry.actor == "guardia" and f'"standing_approval":{standing.pk}' in entry.body
    assert tenant.owner.get_username() in entry.body
    assert not tenant.owner.notifications.exists()


def dangerous(tenant: Tenant, standing: StandingApproval) -> None:
    """The request's own doing: the test marks the task."""


def critical(tenant: Tenant, standing: StandingApproval) -> None:
    tenant.servers[1].site.tier = Tier.CRITICAL
    tenant.servers[1].site.save()


def expired(tenant: Tenant, standing: StandingApproval) -> None:
    past = now() - timedelta(days=9)
    StandingApproval.objects.update(created_at=past, valid_until=now() - timedelta(seconds=1))


def revoked(tenant: Tenant, standing: StandingApproval) -> None:
    revoke_standing_approval(actor=tenant.owner, pk=standing.pk)


def other_work(tenant: Tenant, standing: StandingApproval) -> None:
    StandingApproval.objects.update(sub_type="WAS_ROLLING")


def other_role(tenant: Tenant, standing: StandingApproval) -> None:
    StandingApproval.objects.update(role="PM")


def other_system(tenant: Tenant, standing: StandingApproval) -> None:
    StandingApproval.objects.update(system=Tenant().system)


def no_longer_the_owner(tenant: Tenant, standing: StandingApproval) -> None:
    SystemOwner.objects.update(owner=tenant.deputy, deputy=None)


def inactive_giver(tenant: Tenant, standing: StandingApproval) -> None:
    User.objects.filter(pk=tenant.owner.pk).update(is_active=False)


def password_again(tenant: Tenant, standing: StandingApproval) -> None:
    PolicyStep.objects.filter(is_automatic=False).update(needs_reauthentication=True)


def used_up(tenant: Tenant, standing: StandingApproval) -> None:
    restart(tenant)
    restart(tenant)


def asked_elsewhere(tenant: Tenant, standing: StandingApproval) -> None:
    """The giver is to decide the second step, so the first is another's."""
    SystemOwner.objects.update(owner=tenant.deputy, deputy=tenant.owner)
    policy = ApprovalPolicy.objects.get(sub_type="SERVICE_RESTART")
    policy.steps.filter(order=2).delete()
    policy.steps.update(approvers_needed=2)


CASES: list[Callable[[Tenant, StandingApproval], None]] = [
    dangerous,
    critical,
    expired,
    revoked,
    other_work,
    other_role,
    other_system,
    no_longer_the_owner,
    inactive_giver,
    password_again,
    used_up,
    asked_elsewhere,
]


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
def test_a_person_is_asked_instead(case: Callable[[Tenant, StandingApproval], None]) -> None:
    tenant = Tenant()
    case(tenant, stand(tenant))
    task = tenant.file(text=f"{tenant.system.name} WAS 전체 재기동 부탁드립니다")
    OpsTask.objects.filter(pk=task.pk).update(is_dangerous=case is dangerous)
    assert prepare_plan(task.pk) is not None
    step = first_step(task)
    assert (step.status, step.satisfied_by, step.decided_by) == ("PENDING", "", None)
    assert step.approver != tenant.site_manager


def test_it_never_counts_for_what_its_giver_filed() -> None:
    tenant = Tenant()
    stand(tenant)
    task, _plan = restart(tenant, actor=tenant.owner)
    step = first_step(task)
    assert (step.status, step.approver, step.satisfied_by) == ("PENDING", tenant.deputy, "")
    # the deputy's own one would do, since the deputy didn't file
    standing = stand(tenant, giver=tenant.deputy)
    task, _plan = restart(tenant, actor=tenant.owner)
    assert first_step(task).standing_approval == standing


def test_the_period_rolls_on() -> None:
    tenant = Tenant()
    standing = stand(tenant, uses_allowed=1)
    first, _plan = restart(tenant)
    second, _plan = restart(tenant)
    assert [first_step(task).satisfied_by for task in (first, second)] == ["STANDING", ""]
    ApprovalStep.objects.filter(standing_approval=standing).update(decided_at=now() - timedelta(days=7, seconds=1))
    third, _plan = restart(tenant)
    assert first_step(third).satisfied_by == "STANDING"


@pytest.mark.django_db(transaction=True)
def test_two_tasks_at_once_use_the_last_time_once() -> None:
    tenant = Tenant(servers=1)
    for _round in range(10):
        standing = stand(tenant, uses_allowed=1)
        text = f"{tenant.system.name} WAS 전체 재기동 부탁드립니다"
        tasks = [tenant.file(text=text) for _ in range(2)]
        race([partial(prepare_plan, task.pk) for task in tasks])
        assert ApprovalStep.objects.filter(standing_approval=standing).count() == 1
        assert sorted(OpsTask.objects.get(pk=task.pk).status for task in tasks) == ["APP", "PEN"]


def test_who_may_give_one_and_how_far_it_may_go() -> None:
    tenant, stranger = Tenant(), Tenant()
    soon = now() + timedelta(days=1)
    cases: list[tuple[User, dict[str, Any], str]] = [
        (tenant.site_manager, {}, "not_permitted"),
        (tenant.pm, {}, "not_permitted"),
        (tenant.owner, {"role": StepRole.PM}, "not_permitted"),
        (make_user(Role.ADMINISTRATOR), {}, "not_permitted"),
        (stranger.owner, {}, "not_found"),
        (tenant.owner, {"reason": " "}, "reason_missing"),
        (tenant.owner, {"valid_until": now() - timedelta(seconds=1)}, "invalid"),
        (tenant.owner, {"valid_until": now() + timedelta(days=181)}, "invalid"),
        (tenant.owner, {"uses_allowed": 0}, "invalid"),
        (tenant.owner, {"uses_allowed": 101}, "invalid"),
        (tenant.owner, {"period_days": 0}, "invalid"),
        (tenant.owner, {"period_days": 32}, "invalid"),
    ]
    for giver, extent, code in cases:
        with nothing_changes(), pytest.raises(GuardiaError) as error:
            stand(tenant, giver=giver, **extent)
        assert error.value.code == code, (giver, extent)
        if code == "not_permitted" and extent == {}:
            assert str(tenant.owner) in str(error.value)
    for giver, role in ((tenant.deputy, StepRole.OWNER), (tenant.pm, StepRole.PM)):
        stand(tenant, giver=giver, role=role, valid_until=soon)
    only_critical = Tenant(tier=Tier.CRITICAL)
    with nothing_changes(), pytest.raises(GuardiaError):
        stand(only_critical)


def test_who_may_revoke_and_only_once() -> None:
    tenant, stranger = Tenant(), Tenant()
    everybody = make_user(Role.ADMINISTRATOR)
    for actor in (tenant.owner, tenant.security, everybody):
        standing = stand(tenant)
        for other, code in ((tenant.pm, "not_permitted"), (stranger.security, "not_found")):
            with nothing_changes(), pytest.raises(GuardiaError) as error:
                revoke_standing_approval(actor=other, pk=standing.pk)
            assert error.value.code == code
        assert revoke_standing_approval(actor=actor, pk=standing.pk).revoked_by == actor
        with nothing_changes(), pytest.raises(GuardiaError) as error:
            revoke_standing_approval(actor=actor, pk=standing.pk)
        assert error.value.http_status == 409
    actions = Entry.objects.filter(action__startswith="standing_approval.").values_list("action", flat=True)
    assert sorted(set(actions)) == ["standing_approval.given", "standing_approval.revoked"] and len(actions) == 6


def test_the_database_holds_the_rules_of_standing_approvals() -> None:
    tenant = Tenant()
    standing = stand(tenant)
    task, _plan = restart(tenant)
    used, given = (
        ApprovalStep.objects.filter(standing_approval=standing),
        StandingApproval.objects.filter(pk=standing.pk),
    )
    wrong: list[tuple[Any, str, dict[str, Any]]] = [
        (used, "step_standing_approves", {"standing_approval": None}),
        (used, "step_standing_approves", {"satisfied_by": "PERSON"}),
        (used, "step_not_by_requester", {"decided_by": task.requester}),
        (given, "standing_extent", {"uses_allowed": 0}),
        (given, "standing_ends", {"valid_until": standing.created_at}),
        (given, "standing_revoked_by_somebody", {"revoked_at": now()}),
    ]
    for rows, constraint, change in wrong:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            rows.update(**change)
