"""Runs under a strategy of the test's own."""

import re
from itertools import count
from typing import Any

from django.db.models import Q

from execution.models import HostRun, Run, StepResult
from execution.playbooks.publish import SHIPPED, publish_playbook
from execution.rollout.start_run import start_run
from tests.factories import Tenant

_versions = count(1000)
_SHIPPED = 'strategy:\n  batches: ["1", "50%", "100%"]\n'


def publish_strategy(block: str, shipped: str = "was_rolling") -> None:
    """A newer version of the shipped playbook with this strategy; `block` is what stands below the key."""
    source = (SHIPPED / f"{shipped}.yaml").read_text(encoding="utf-8")
    assert _SHIPPED in source
    source = re.sub(r"^version: \d+$", f"version: {next(_versions)}", source, count=1, flags=re.MULTILINE)
    publish_playbook(actor="test", source=source.replace(_SHIPPED, f"strategy: {block}\n"))


def begin(tenant: Tenant, block: str) -> Run:
    """A started run of a deployment under this strategy; nobody drives it."""
    publish_strategy(block)
    task, _plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    return Run.objects.get(pk=run.pk)


def settle(run: Run, status: str, *names: str, touched: bool = True, **fields: Any) -> None:
    """Put hosts (by default those of the open waves) where a worker would have; `touched`: it has changed them."""
    open_ones = Q(wave__is_open=True) & ~Q(status__in=["RETRIED", "UNDONE", "SKIPPED"])
    hosts = HostRun.objects.filter(Q(server__hostname__in=names) if names else open_ones, wave__run=run)
    for host in hosts.exclude(status="RETRIED"):
        if touched and not host.steps.exists():
            steps = run.plan.content["hosts"][host.server.hostname]["steps"]
            order = next(order for order, step in enumerate(steps) if step["changes"])
            StepResult.objects.create(host_run=host, phase="APPLY", order=order, name=steps[order]["name"], status="OK")
        values = {"status": status, "claim": "", "lease_until": None, **fields}
        if status == "FAILED":
            values.setdefault("error_code", "step_failed")
            values.setdefault("error", "health: no")
        HostRun.objects.filter(pk=host.pk).update(started_at=host.wave.opened_at, **values)


def told(run: Run) -> dict[str, str]:
    """Hostname → status of its newest row."""
    rows = HostRun.objects.filter(wave__run=run).order_by("wave__number", "pk")
    return dict(rows.values_list("server__hostname", "status"))


def opened(run: Run) -> list[int]:
    return list(run.waves.filter(opened_at__isnull=False).order_by("number").values_list("number", flat=True))
