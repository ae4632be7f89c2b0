"""Two people, or one person twice, at the same moment: the database decides, once."""

from functools import partial

import pytest
from django.db import transaction

from audit.models import Chain
from audit.services import record
from audit.verifying.all_chains import verify_all
from guardia.common.clock import local_day
from tests.factories import Tenant, make_institution
from tests.threads import race
from tickets.choices import Channel
from tickets.models import OpsTask
from tickets.services.file_task import file_task

pytestmark = pytest.mark.django_db(transaction=True)


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
