"""Runs on hosts that only a gateway reaches, with real processes in two networks."""

import pytest

from execution.models import HostRun, Run
from tests.execution.fleet_tenant import actions, assert_consistent, statuses
from tests.execution.gateways.conftest import Field
from tests.execution.worker import until

pytestmark = pytest.mark.slow


def finished(field: Field, seconds: float = 90) -> Run:
    until(lambda: Run.objects.filter(finished_at__isnull=False).exists(), seconds, pause=0.2)
    return Run.objects.get()


def test_a_run_goes_through_the_gateway(field: Field) -> None:
    field.start_worker()
    field.tenant.wait_for_start("2.1.0")
    run = finished(field)
    assert run.status == "SUCCEEDED", (run.reason, statuses(run), field.home.said()[-3000:])
    assert_consistent(run)
    assert all(actions(field.tenant, name) == ["shutdown", "startup"] for name in field.tenant.hosts)
    assert not HostRun.objects.exclude(status="DONE").exists()
