"""In which order the acts on a run lock what workers lock too."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.execution.strategies import begin
from tests.execution.test_steering import ACTS, put
from tests.factories import Tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.mark.parametrize("act", ACTS)
def test_each_act_locks_the_events_before_the_chain(act: str) -> None:
    """As workers do, who may write at the same time: in another order the two would wait for each other."""
    tenant = Tenant(servers=6)
    run = begin(tenant, "{batches: [1], gate: manual}")
    put(run, {"retry": "at a gate", "resume": "paused"}.get(act, "in a wave"))
    with CaptureQueriesContext(connection) as asked:
        ACTS[act](tenant.pm, run)
    tables = [
        name
        for query in asked
        for name in ("execution_eventhead", "audit_chain")
        if f'{name}"' in query["sql"] or f" {name} " in query["sql"]
    ]
    assert tables[0] == "execution_eventhead" and "audit_chain" in tables, tables
