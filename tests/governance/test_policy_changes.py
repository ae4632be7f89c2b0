"""A policy changes by two people, never otherwise; what was looked at is what is written."""

from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from governance.models import ApprovalPolicy, PolicyChange
from governance.policy_documents import PolicyDocument, StepDocument, document_of
from governance.services.change_policy import decide_policy_change, propose_policy_change, withdraw_policy_change
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from tests.doors import browser
from tests.factories import Tenant, make_user
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db
STEP = StepDocument(role="OWNER", approvers_needed=1, needs_reauthentication=False, is_automatic=False)
CHECK = StepDocument(role="SECURITY_OFFICER", approvers_needed=1, needs_reauthentication=False, is_automatic=True)


def document(**changes: Any) -> PolicyDocument:
    plain = {"name": "새 정책", "category": "", "sub_type": "BACKUP", "risk": None, "tier": None, "steps": [STEP]}
    return {**plain, **changes}  # type: ignore[typeddict-item]


@pytest.fixture
def officers() -> tuple[User, User]:
    return make_user(Role.ADMINISTRATOR), make_user(Role.SECURITY_OFFICER)


def propose(actor: User, after: PolicyDocument | None, policy: ApprovalPolicy | None = None) -> PolicyChange:
    return propose_policy_change(
        actor=actor, policy_pk=policy.pk if policy else None, after=after, reason="업무 절차 변경"
    )


def test_add_change_and_remove_each_by_two_people(officers: tuple[User, User]) -> None:
    one, two = officers
    ways: list[PolicyDocument | None] = [document(), document(name="바꾼 정책", steps=[STEP, CHECK], tier=2), None]
    policy = None
    for after in ways:
        change = propose(one, after, policy)
        assert change.status == "OPEN" and (document_of(policy) if policy else None) == change.before
        decide_policy_change(actor=two, pk=change.pk, is_accepted=True)
        policy = ApprovalPolicy.objects.filter(sub_type="BACKUP").first()
        assert (document_of(policy) if policy else None) == after
    assert policy is None
    actions = Entry.objects.filter(action__startswith="policy_change.").order_by("pk").values_list("action", "actor")
    assert [(action, actor.split(":")[1]) for action, actor in actions] == [
        ("policy_change.proposed", str(one.pk)),
        ("policy_change.applied", str(two.pk)),
    ] * 3
    assert two.notifications.count() == 3 == one.notifications.count()
    assert all(row.text for row in [*one.notifications.all(), *two.notifications.all()])


def refused(code: str, act: Any) -> GuardiaError:
    with nothing_changes(), pytest.raises(GuardiaError) as error:
        act()
    assert error.value.code == code, error.value
    return error.value


def test_nobody_decides_alone_and_nobody_else_at_all(officers: tuple[User, User]) -> None:
    one, two = officers
    tenant = Tenant()
    change = propose(one, document())
    decide = partial(decide_policy_change, pk=change.pk, is_accepted=True)
    refused("self_approval", lambda: decide(actor=one))
    for person in (
        tenant.pm,
        tenant.security,
        make_user(Role.AUDITOR),
        make_user(Role.ADMINISTRATOR, tenant.institution),
    ):
        error = refused("not_permitted", partial(decide, actor=person))
        assert str(one) in str(error) and str(two) in str(error)
        refused("not_permitted", partial(propose, person, document(name="다른", sub_type="DATA_SEED")))
    refused("not_permitted", lambda: withdraw_policy_change(actor=two, pk=change.pk))
    refused("reason_missing", lambda: decide_policy_change(actor=two, pk=change.pk, is_accepted=False))
    refused("not_found", lambda: decide_policy_change(actor=two, pk=change.pk + 99, is_accepted=True))
    two.is_active = False
    two.save()
    refused("not_permitted", lambda: decide(actor=two))


@pytest.mark.parametrize("end", ["refuse", "withdraw", "accept"])
def test_a_decided_proposal_stays_decided(officers: tuple[User, User], end: str) -> None:
    one, two = officers
    change = propose(one, document())
    if end == "withdraw":
        withdraw_policy_change(actor=one, pk=change.pk)
    else:
        decide_policy_change(actor=two, pk=change.pk, is_accepted=end == "accept", comment="보류")
    assert ApprovalPolicy.objects.filter(sub_type="BACKUP").exists() == (end == "accept")
    third = make_user(is_superuser=True)
    refused("stale_state", lambda: decide_policy_change(actor=third, pk=change.pk, is_accepted=True))
    refused("stale_state", lambda: withdraw_policy_change(actor=one, pk=change.pk))


def test_what_changed_meanwhile_is_not_overwritten(officers: tuple[User, User]) -> None:
    one, two = officers
    Tenant()
    policy = ApprovalPolicy.objects.get(sub_type="SERVICE_RESTART")
    plain = document_of(policy)
    first = propose(one, {**plain, "steps": [STEP]}, policy)
    second = propose(two, {**plain, "steps": [STEP, STEP]}, policy)
    decide_policy_change(actor=two, pk=first.pk, is_accepted=True)
    refused("stale_state", lambda: decide_policy_change(actor=one, pk=second.pk, is_accepted=True))
    # two new policies for the same work
    changes = [propose(one, document(name=name)) for name in ("하나", "둘")]
    decide_policy_change(actor=two, pk=changes[0].pk, is_accepted=True)
    refused("invalid", lambda: decide_policy_change(actor=two, pk=changes[1].pk, is_accepted=True))


WRONG: list[dict[str, Any]] = [
    {"name": " "},
    {"name": "x" * 65},
    {"category": "OTHER"},
    {"sub_type": "OTHER"},
    {"risk": 5},
    {"tier": 0},
    {"steps": []},
    {"steps": [STEP] * 7},
    {"steps": [{**STEP, "role": "ANYBODY"}]},
    {"steps": [{**STEP, "approvers_needed": 0}]},
    {"steps": [{**STEP, "approvers_needed": 6}]},
    {"steps": [STEP, {**CHECK, "role": "PM"}]},
    {"steps": [STEP, {**CHECK, "approvers_needed": 2}]},
    {"steps": [STEP, {**CHECK, "needs_reauthentication": True}]},
    {"steps": [CHECK]},
    {"steps": [CHECK], "tier": 1},
    {"steps": [CHECK], "tier": 2},
    {"sub_type": "SERVICE_RESTART", "risk": 2},
]


@pytest.mark.parametrize("change", WRONG, ids=[str(change)[:60] for change in WRONG])
def test_what_may_not_become_a_policy_is_refused(officers: tuple[User, User], change: dict[str, Any]) -> None:
    Tenant()
    refused("invalid", lambda: propose(officers[0], document(**change)))


def test_test_sites_may_do_without_people_and_a_reason_is_needed(officers: tuple[User, User]) -> None:
    one, _two = officers
    propose(one, document(steps=[CHECK], tier=3))
    refused(
        "reason_missing",
        lambda: propose_policy_change(actor=one, policy_pk=None, after=document(name="y"), reason=" "),
    )
    refused("invalid", lambda: propose(one, None))


def test_the_database_knows_two_people(officers: tuple[User, User]) -> None:
    one, two = officers
    change = PolicyChange.objects.filter(pk=propose(one, document()).pk)
    wrong: list[dict[str, Any]] = [
        {"status": "APPLIED", "decided_by": one, "decided_at": now()},
        {"status": "REFUSED", "decided_by": one, "decided_at": now()},
        {"status": "WITHDRAWN", "decided_by": two, "decided_at": now()},
        {"status": "APPLIED"},
        {"status": "DONE", "decided_by": two, "decided_at": now()},
        {"decided_by": two},
    ]
    for values in wrong:
        with pytest.raises(IntegrityError, match="change_decided_by_another"), transaction.atomic():
            change.update(**values)


def test_the_admin_changes_no_policy() -> None:
    Tenant()
    policy = ApprovalPolicy.objects.all()[0]
    client = browser(make_user(is_superuser=True, is_staff=True))
    with nothing_changes():
        for page in ("add/", f"{policy.pk}/change/", f"{policy.pk}/delete/"):
            response = client.post(f"/admin/governance/approvalpolicy/{page}", {"name": "x", "post": "yes"})
            assert response.status_code == 403
