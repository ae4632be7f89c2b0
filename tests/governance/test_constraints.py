"""What the services refuse, the database refuses too: by the ORM past the services, and by SQL."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from governance.models import ApprovalRound, ApprovalStep
from guardia.common.clock import now
from tests.factories import Tenant, approve

pytestmark = pytest.mark.django_db
DIGEST = "d" * 64


def test_an_incomplete_or_forbidden_decision_is_not_stored() -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    steps = ApprovalStep.objects.filter(round__task=task)
    whole: dict[str, Any] = {
        "status": "APPROVED",
        "decided_by": tenant.owner,
        "decided_at": now(),
        "digest_seen": DIGEST,
    }
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("step_not_by_requester", {"decided_by": tenant.site_manager}),
        ("step_decision_complete", {"decided_by": None}),
        ("step_decision_complete", {"decided_at": None}),
        ("step_decision_complete", {"digest_seen": ""}),
        ("step_decision_complete", {"status": "GRANTED"}),
        ("step_order_once", {"order": 2}),
        ("step_undecided_has_no_decider", {"status": "EXPIRED"}),
        ("step_undecided_has_no_decider", {"status": "PENDING"}),
        ("step_expiry_has_its_time", {"status": "EXPIRED", "decided_by": None, "decided_at": None}),
        ("step_level_known", {"escalation_level": 3}),
    ]
    for constraint, change in wrong:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            steps.filter(order=1).update(**{**whole, **change})
    assert steps.filter(order=1).update(**whole) == 1, "the complete one is accepted"
    with pytest.raises(IntegrityError, match="step_one_per_person"), transaction.atomic():
        steps.filter(order=2).update(**whole)


def test_sql_is_refused_like_the_orm() -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    with pytest.raises(IntegrityError, match="step_not_by_requester"), transaction.atomic(), connection.cursor() as sql:
        sql.execute(
            "UPDATE governance_approvalstep SET status = 'APPROVED', decided_by_id = requester_id, "
            "decided_at = now(), digest_seen = %s WHERE round_id IN (SELECT id FROM governance_approvalround "
            "WHERE task_id = %s)",
            [DIGEST, task.pk],
        )


def test_a_task_has_one_living_round() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    for number, constraint in ((2, "round_one_living"), (1, "round_number_once")):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            status = "OPEN" if number == 2 else "VOID"
            ApprovalRound.objects.create(task=task, number=number, policy="x", plan_digest=DIGEST, status=status)
    approve(task, plan, tenant.owner)
    approve(task, plan, tenant.pm)
    with pytest.raises(IntegrityError, match="round_one_living"), transaction.atomic():
        ApprovalRound.objects.create(task=task, number=3, policy="x", plan_digest=DIGEST)


@pytest.mark.parametrize("status", ["open", "DONE", ""])
def test_a_round_is_in_a_known_state(status: str) -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalRound.objects.filter(task=task).update(status=status)


def test_what_the_models_declare_is_in_the_database() -> None:
    """A migration that drops one index can take another of the same column with it, and no other test would know."""
    with connection.cursor() as sql:
        sql.execute("SELECT indexname FROM pg_indexes UNION SELECT conname FROM pg_constraint")
        there = {name for (name,) in sql.fetchall()}
    metas = [model._meta for model in apps.get_models()]
    declared = {row.name for meta in metas for row in (*meta.indexes, *meta.constraints)}
    assert "round_one_living" in declared and declared <= there
