"""Two people, or one person twice, at the same moment: the database decides, once."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction

from audit.models import Chain, Entry
from audit.services import record
from audit.verification import verify_all
from governance.choices import Decision
from governance.exceptions import AlreadyDecided
from governance.models import ApprovalStep
from governance.services.decide_step import decide_step
from guardia.common.clock import local_day
from tests.factories import Tenant, make_institution, pending_step, proof_of
from tests.threads import race
from tickets.choices import Channel
from tickets.models import OpsTask
from tickets.services.file_task import file_task

pytestmark = pytest.mark.django_db(transaction=True)
RACES = 50


def _decision(tenant: Tenant, step: ApprovalStep, digest: str, decision: Decision) -> Callable[[], ApprovalStep]:
    return partial(
        decide_step,
        actor=tenant.owner,
        step_pk=step.pk,
        decision=decision,
        digest=digest,
        channel="api",
        comment="동시에",
        proof=proof_of(tenant.owner),
    )


@pytest.mark.parametrize("second", [Decision.APPROVE, Decision.REJECT])
def test_one_of_two_decisions_on_one_step_counts(second: Decision) -> None:
    tenant = Tenant(servers=1)
    won: set[str] = set()
    for number in range(RACES):
        task, plan = tenant.planned()
        step = pending_step(task)
        acts = [_decision(tenant, step, plan.digest, decision) for decision in (Decision.APPROVE, second)]
        outcomes = race(acts[:: -1 if number % 2 else 1], errors=AlreadyDecided)
        decided = [outcome for outcome in outcomes if isinstance(outcome, ApprovalStep)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadyDecided)]
        assert (len(decided), len(refused)) == (1, 1), outcomes
        entries = Entry.objects.filter(task_id=task.task_id, action__startswith="approval.")
        saved = ApprovalStep.objects.get(pk=step.pk)
        assert [entry.action for entry in entries] == [f"approval.{saved.status.lower()}"]
        assert OpsTask.objects.get(pk=task.pk).status == ("PEN" if saved.status == "APPROVED" else "REJ")
        won.add(saved.status)
    assert "APPROVED" in won
    assert all(report.is_intact for report in verify_all())


def test_task_ids_are_gapless_and_unique_whoever_files() -> None:
    tenant = Tenant(servers=1)
    text = f"{tenant.system.name} WAS 전체에 2.1.0 배포해 주세요"

    def file_some(count: int) -> list[str]:
        return [
            file_task(actor=tenant.site_manager, text=text, channel=Channel.API).task_id for _number in range(count)
        ]

    filed = race([partial(file_some, 4 if thread < 6 else 3) for thread in range(8)])
    ids = sorted(task_id for part in filed if isinstance(part, list) for task_id in part)
    assert ids == [f"OPS-{local_day():%Y%m%d}-{number:03d}" for number in range(1, 31)]
    assert OpsTask.objects.count() == 30
    assert all(report.is_intact for report in verify_all())


def test_a_refused_request_takes_no_number() -> None:
    tenant = Tenant(servers=1)
    first = tenant.file()

    def lost() -> None:
        with transaction.atomic():
            tenant.file()
            raise TimeoutError

    outcomes = race([lost, tenant.file, lost], errors=TimeoutError)
    assert sum(isinstance(outcome, TimeoutError) for outcome in outcomes) == 2
    numbers = [int(task_id[-3:]) for task_id in OpsTask.objects.values_list("task_id", flat=True)]
    assert sorted(numbers) == [int(first.task_id[-3:]), int(first.task_id[-3:]) + 1]


def test_sixteen_writers_of_one_chain_leave_no_gap() -> None:
    institution = make_institution()

    def write(writer: int) -> None:
        for number in range(10):
            with transaction.atomic():
                record(action="test.raced", actor=f"writer {writer}", institution=institution, number=number)

    race([partial(write, writer) for writer in range(16)])
    chain = Chain.objects.get(key=f"institution:{institution.code}")
    assert list(chain.entries.order_by("number").values_list("number", flat=True)) == list(range(1, 161))
    assert chain.head_number == 160
    assert [report.is_intact for report in verify_all()] == [True]
