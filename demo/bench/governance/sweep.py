"""Ten thousand deadlines that have passed, over many institutions, carried on by the product's own sweep."""

import time

from django.db import connection

from governance.choices import StepStatus
from governance.models import ApprovalStep
from governance.services.escalate import escalate_due_steps

_AFTER = "no answer by the owner", "no answer by the deputy", "no answer by the supervisor: rejected"


def measure_sweeps(count: int = 10_000) -> list[tuple[str, int, float]]:
    """Level, number of steps, seconds: the same steps three times, until the last level ends them."""
    chosen = list(
        ApprovalStep.objects.filter(status=StepStatus.PENDING).order_by("?").values_list("pk", flat=True)[:count]
    )
    figures = []
    for name in _AFTER:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE governance_approvalstep SET due_at = now() - random() * interval '1 hour'"
                " WHERE id = ANY(%s) AND status = 'PENDING'",
                [chosen],
            )
            cursor.execute("ANALYZE governance_approvalstep (due_at, status)")
        begun = time.perf_counter()
        fired = escalate_due_steps()
        figures.append((name, fired, time.perf_counter() - begun))
    return figures
