"""What would change: the panel of a plan's last dry run, and its download."""

from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q, QuerySet, Subquery, Window
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from execution.gate.dry_runs import OPEN
from execution.models import DryLook, DryRun, Plan
from execution.selectors import current_plan
from governance.selectors import may_work_by_hand
from guardia.common.canonical import moment_text
from tickets.models import OpsTask
from tickets.panels import TaskPage

_HOSTS_SHOWN, _REASONS_SHOWN, _NAMED = 100, 10, 8


class Word(NamedTuple):
    """`status`: the colour of its chip."""

    label: Promise
    status: str


#: The worst first: whoever reads looks for it.
WORDS = {
    "stops": Word(_("Would stop here"), "FAILED"),
    "changes": Word(_("Would change"), "PENDING"),
    "unseen": Word(_("Can't be seen beforehand"), "UNTOUCHED"),
    "looks": Word(_("Well"), "APPROVED"),
    "same": Word(_("Is so already"), "APPROVED"),
}


def dry_run(page: TaskPage) -> dict[str, Any] | None:
    """The last one of the plan that is up for approval or approved, and the button. Once there is a run, that tells."""
    current = page.once(current_plan) if page.has("plans") and not page.has("runs") else None
    if current is None:
        return None
    may_ask = page.task.status in OPEN and may_work_by_hand(page.user, page.task)
    looks = list(_first_looks(current))
    if not looks:
        far = [name for name, host in current.content["hosts"].items() if "gateway" in host]
        return {"dry_run": None, "may_ask": True, "is_open": False, "far": len(far)} if may_ask else None
    found, first = looks[0].dry_run, looks[0]
    counts: dict[str, int] = {name: getattr(first, name) for name in ("all", "done", "unreached")}
    is_open = found.finished_at is None
    for look in looks:
        verdicts = [one["verdict"] for one in look.findings]
        look.counts = [(word, verdicts.count(verdict)) for verdict, word in WORDS.items() if verdict in verdicts]  # type: ignore[attr-defined]  # for the template
        look.findings = [{**one, "word": WORDS[one["verdict"]]} for one in look.findings]
    counts |= {"left": counts["all"] - len(looks), "asked": counts["done"] - counts["unreached"]}
    why = _unasked(found) if counts["unreached"] and not is_open else []
    return {"dry_run": found, "may_ask": may_ask, "is_open": is_open, "looks": looks, "unasked": why, **counts}


def _unasked(dry_run: DryRun) -> list[dict[str, Any]]:
    """Why some couldn't be asked, the reason of most first, each with the first names."""
    rows = dry_run.looks.exclude(error="").order_by().values("error")
    counted = rows.annotate(count=Count("pk"), names=ArrayAgg("server__hostname", order_by="server__hostname"))
    found = list(counted.order_by("-count", "error")[:_REASONS_SHOWN])
    return [{**row, "names": row["names"][:_NAMED], "more": max(0, row["count"] - _NAMED)} for row in found]


def _first_looks(plan: Plan) -> QuerySet[DryLook]:
    """Of the plan's last dry run, each with the numbers of all of them: one question for all that a page shows."""
    last = DryRun.objects.filter(plan=plan).order_by("-pk").values("pk")[:1]
    looks = DryLook.objects.filter(dry_run=Subquery(last)).select_related("server", "dry_run__asked_by")
    return looks.annotate(
        all=Window(Count("pk")),
        done=Window(Count("finished_at")),
        unreached=Window(Count("pk", filter=~Q(error=""))),
    ).order_by("server__hostname")[:_HOSTS_SHOWN]


def dry_run_document(task: OpsTask) -> dict[str, Any] | None:
    """All of the last one that has ended; None where there is none."""
    current = current_plan(task)
    found: DryRun | None = None
    if current is not None:
        found = DryRun.objects.filter(plan=current).exclude(finished_at=None).select_related("asked_by").first()
    if found is None or current is None or found.finished_at is None:
        return None
    looks = found.looks.select_related("server").order_by("server__hostname")
    return {
        "task": task.task_id,
        "plan_digest": current.digest,
        "asked_by": str(found.asked_by),
        "asked_at": moment_text(found.asked_at),
        "finished_at": moment_text(found.finished_at),
        "hosts": {look.server.hostname: {"findings": look.findings, "error": look.error} for look in looks},
    }
