"""Policies as data: how many people, the automatic check, and what no tier allows."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from cmdb.choices import Tier
from execution.plan.prepare import prepare_plan
from governance.models import ApprovalPolicy, ApprovalStep, PolicyStep
from governance.selectors import approved_digest
from governance.services.security_check import CHECKS, is_clean, look_at, told_of
from tests.factories import Tenant, approve, make_user, pending_step
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


def policy_of(name: str, *steps: dict[str, Any], **where: Any) -> ApprovalPolicy:
    policy = ApprovalPolicy.objects.create(name=name, **{"sub_type": "WAS_ROLLING", **where})
    for order, step in enumerate(steps, start=1):
        PolicyStep.objects.create(policy=policy, order=order, **{"role": "OWNER", **step})
    return policy


CHECK = {"role": "SECURITY_OFFICER", "is_automatic": True}


def steps_of(task: OpsTask) -> list[tuple[str, Any, str, str]]:
    rows = ApprovalStep.objects.filter(round__task=task).order_by("round", "order")
    return [(row.role, row.approver, row.status, row.satisfied_by) for row in rows]


def test_two_people_of_a_role_decide_in_a_step_each() -> None:
    tenant = Tenant()
    policy_of("two", {"approvers_needed": 2, "needs_reauthentication": True})
    task, plan = tenant.planned()
    assert [(role, person) for role, person, *_rest in steps_of(task)] == [
        ("OWNER", tenant.owner),
        ("OWNER", tenant.deputy),
    ]
    assert set(ApprovalStep.objects.filter(round__task=task).values_list("needs_reauthentication", flat=True)) == {True}
    approve(task, plan, tenant.owner)
    assert approved_digest(task) is None and pending_step(task).approver == tenant.deputy
    approve(task, plan, tenant.deputy)
    assert approved_digest(task) == plan.digest


def test_more_people_than_there_are_go_to_people_with_the_reason() -> None:
    tenant = Tenant()
    policy_of("three", {"approvers_needed": 4})
    task = tenant.file()
    assert prepare_plan(task.pk) is None
    assert OpsTask.objects.get(pk=task.pk).status == "MAN"
    assert not ApprovalStep.objects.exists()


def test_a_clean_check_is_made_by_guardia_in_its_turn_and_told() -> None:
    tenant = Tenant()
    policy_of("checked", {}, CHECK)
    task, plan = tenant.planned()
    assert steps_of(task)[1] == ("SECURITY_OFFICER", None, "WAITING", "")
    approve(task, plan, tenant.owner)
    assert steps_of(task) == [
        ("OWNER", tenant.owner, "APPROVED", "PERSON"),
        ("SECURITY_OFFICER", None, "APPROVED", "AUTOMATIC"),
    ]
    assert OpsTask.objects.get(pk=task.pk).status == "APP" and approved_digest(task) == plan.digest
    step = ApprovalStep.objects.get(round__task=task, is_automatic=True)
    assert [finding["check"] for finding in step.findings] == ["danger", *CHECKS]
    entry = Entry.objects.filter(action="approval.approved").latest("pk")
    assert entry.actor == "guardia" and '"host_keys"' in entry.body


@pytest.mark.parametrize("flaw", ["danger", "host_keys"])
def test_a_check_that_finds_something_is_decided_by_a_security_officer(flaw: str) -> None:
    tenant = Tenant()
    policy_of("checked", {}, CHECK)
    if flaw == "host_keys":
        tenant.servers[0].host_keys = []
        tenant.servers[0].save()
    task = tenant.file()
    OpsTask.objects.filter(pk=task.pk).update(is_dangerous=flaw == "danger")
    plan = prepare_plan(task.pk)
    assert plan is not None
    task = OpsTask.objects.get(pk=task.pk)
    approve(task, plan, tenant.owner)
    assert steps_of(task)[1] == ("SECURITY_OFFICER", tenant.security, "PENDING", "")
    found = [finding["check"] for finding in pending_step(task).findings if not finding["is_good"]]
    assert found == [flaw]
    approve(task, plan, tenant.security)
    assert approved_digest(task) == plan.digest


def test_a_failed_check_without_a_security_officer_goes_to_people() -> None:
    tenant = Tenant()
    policy_of("checked", {}, CHECK)
    tenant.security.memberships.all().delete()
    task = tenant.file()
    OpsTask.objects.filter(pk=task.pk).update(is_dangerous=True)
    assert prepare_plan(task.pk) is None
    assert OpsTask.objects.get(pk=task.pk).status == "MAN"


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("is_dangerous", [False, True])
def test_only_test_sites_do_without_people(tier: Tier, is_dangerous: bool) -> None:
    tenant = Tenant(tier=tier)
    policy_of("by itself", CHECK)
    task = tenant.file()
    OpsTask.objects.filter(pk=task.pk).update(is_dangerous=is_dangerous)
    prepare_plan(task.pk)
    status = OpsTask.objects.get(pk=task.pk).status
    expected = ("PEN" if is_dangerous else "APP") if tier == Tier.TEST else "MAN"
    assert status == expected


def test_the_most_critical_site_counts() -> None:
    tenant = Tenant(tier=Tier.TEST)
    policy_of("by itself", CHECK)
    tenant.servers[1].site.tier = Tier.CRITICAL
    tenant.servers[1].site.save()
    task = tenant.file()
    prepare_plan(task.pk)
    assert OpsTask.objects.get(pk=task.pk).status == "MAN"


HOST: dict[str, Any] = {
    "check": {"verdict": "allow"},
    "host_keys": ["ssh-ed25519 A"],
    "tier": 2,
    "steps": [{"apply": [{"op": "exec"}]}],
}
FILE = {"name": "a.war", "sha256": "a" * 64, "size": 3}
GOOD: dict[str, Any] = {"hosts": {"a": HOST}, "waves": [["a"]], "artefacts": [FILE]}
FLAWS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("targets", {"waves": []}, ["-"]),
    ("targets", {"waves": [["a"], ["a"]]}, ["a", "a"]),
    ("targets", {"waves": [["a", "b"]]}, ["a", "b"]),
    ("host_keys", {"hosts": {"a": {**HOST, "host_keys": []}}}, ["a"]),
    ("host_keys", {"hosts": {"a": {**HOST, "host_keys": [" "]}}}, ["a"]),
    ("host_keys", {"hosts": {"a": {**HOST, "via": [{"host_keys": []}]}}}, ["a"]),
    ("ssh", {"hosts": {"a": {**HOST, "legacy_ssh": ["ssh-rsa"]}}}, ["a"]),
    ("ssh", {"hosts": {"a": {**HOST, "via": [{**HOST, "legacy_ssh": ["3des-cbc"]}]}}}, ["a"]),
    ("tiers", {"hosts": {"a": {**HOST, "tier": None}}}, ["a"]),
    ("tiers", {"hosts": {"a": {**HOST, "tier": 9}}}, ["a"]),
    ("artefacts", {"artefacts": [{**FILE, "sha256": "A" * 64}]}, ["a.war"]),
    ("artefacts", {"artefacts": [{**FILE, "size": 0}]}, ["a.war"]),
    ("verdicts", {"hosts": {"a": {**HOST, "check": {"verdict": "escalate"}}}}, ["a"]),
    ("verdicts", {"hosts": {"a": {**HOST, "check": None}}}, ["a"]),
    ("commands", {"hosts": {"a": {**HOST, "steps": []}}}, ["a"]),
    ("commands", {"hosts": {"a": {**HOST, "steps": [{"apply": []}]}}}, ["a"]),
]


@pytest.mark.parametrize(("check", "change", "told"), FLAWS)
def test_each_look_finds_its_flaw(check: str, change: dict[str, Any], told: list[str]) -> None:
    found = [finding for finding in look_at({**GOOD, **change}, is_dangerous=False) if not finding["is_good"]]
    assert [(finding["check"], finding["told"]) for finding in found] == [(check, told)]


def test_the_looks_agree_to_a_good_plan_and_to_no_other_thing() -> None:
    assert is_clean(look_at(GOOD, is_dangerous=False))
    assert not is_clean(look_at(GOOD, is_dangerous=True))
    for nothing in (None, {}):
        assert not is_clean(look_at(nothing, is_dangerous=False))
    assert all(str(told_of(name)) for name in ("danger", *CHECKS))
    assert {check for check, *_rest in FLAWS} == set(CHECKS), "each look has a flaw that it finds"


def test_the_database_holds_the_rules_of_steps() -> None:
    tenant = Tenant()
    policy = policy_of("checked", {}, CHECK)
    task, _plan = tenant.planned()
    wrong: list[tuple[Any, str, dict[str, Any]]] = [
        (policy.steps.filter(order=1), "policy_step_people", {"approvers_needed": 0}),
        (policy.steps.filter(order=1), "policy_step_people", {"approvers_needed": 6}),
        (policy.steps.filter(order=2), "policy_step_automatic", {"role": "OWNER"}),
        (policy.steps.filter(order=2), "policy_step_automatic", {"approvers_needed": 2}),
    ]
    steps = ApprovalStep.objects.filter(round__task=task)
    done = {"status": "APPROVED", "decided_at": task.created_at, "digest_seen": "d" * 64}
    wrong += [
        (steps.filter(order=1), "step_asks_somebody", {"approver": None}),
        (steps.filter(order=2), "step_asks_somebody", {"status": "PENDING"}),
        (steps.filter(order=1), "step_automatic_is_nobodys", {**done, "satisfied_by": "AUTOMATIC"}),
        (steps.filter(order=2), "step_decision_complete", done),
        (steps.filter(order=2), "step_decision_complete", {**done, "satisfied_by": "STANDING"}),
        (
            steps.filter(order=2),
            "step_automatic_is_nobodys",
            {**done, "satisfied_by": "AUTOMATIC", "decided_by": make_user()},
        ),
    ]
    for rows, constraint, change in wrong:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            rows.update(**change)
