"""Governance at the size of a ministry: a million tasks, three million approval steps, five hundred approvers."""

import time
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from demo.bench.governance.fill import fill, tell_of_open_tasks
from demo.bench.governance.pages import Crowd, measure_pages
from demo.bench.governance.sweep import measure_sweeps
from execution.playbooks.publish import publish_shipped
from governance.models import ApprovalStep
from governance.services.default_policies import install_default_policies
from tickets.models import OpsTask

VISITORS = 8


def measure_governance(tasks: int) -> Iterator[tuple[str, str]]:
    """Fill the database, open the pages, let ten thousand deadlines pass: figures as they come. For a home of its own:
    what it fills in stays there."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    install_default_policies(actor="guardia")
    publish_shipped(actor="guardia")
    begun = time.monotonic()
    fill(tasks=tasks)
    tell_of_open_tasks(each=100)
    seconds = time.monotonic() - begun
    steps = ApprovalStep.objects.count()
    yield f"{OpsTask.objects.count():,} tasks, {steps:,} steps filled in", f"{seconds:.0f} s, {_size()}"
    for page in measure_pages(Crowd.gather(VISITORS)):
        times = f"{page.median * 1e3:.0f} / {page.p95 * 1e3:.0f} / {page.worst * 1e3:.0f} ms"
        yield f"{page.name}: median / p95 / worst of {page.visits} users, queries", f"{times}, {page.queries}"
    for name, fired, seconds in measure_sweeps():
        yield f"sweep, {name}: {fired:,} due steps", f"{seconds:.1f} s"


def _size() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        return str(cursor.fetchone()[0])
