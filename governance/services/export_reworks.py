"""Rework instructions as JSON Lines, to tune a local model with: what was asked, what came, what a person said to it,
and what came then."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import visible_to, where_holding
from accounts.who import who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from governance.choices import ReviewDecision
from governance.models import ChangeReview, ResultReview
from governance.services.bastion import require_bastion
from guardia.common.errors import NotPermitted
from guardia.common.masking import mask
from tickets.models import OpsTask

EXPORTERS = (Role.PM, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Export:
    sha256: str
    lines: int


@refusals_recorded
@transaction.atomic
def export_reworks(
    *, actor: User, out: IO[bytes], institution: Institution | None = None, since: datetime | None = None
) -> Export:
    """Write every rework of the institutions where `actor` is a PM or administrator to `out`, oldest first, masked.

    Each institution's chain gets an entry with the file's digest and its own number of lines. Raises NotPermitted,
    with who could, where the actor may export nothing, or not this institution's.
    """
    mine = where_holding(Institution.objects.all(), actor, EXPORTERS)
    if institution is not None:
        mine = mine.filter(pk=institution.pk)
    if not mine.exists():
        asked = institution or visible_to(Institution.objects.all(), actor).first()
        names = who_hold(EXPORTERS, asked.pk if asked else None, but={actor.pk})
        raise NotPermitted(_("Project managers and administrators may export: %(names)s.") % {"names": names})
    for row in mine:
        require_bastion(actor=actor, institution=row)
    digest, counts = hashlib.sha256(), Counter[int]()
    for task_institution, line in _lines(list(mine.values_list("pk", flat=True)), since):
        encoded = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        out.write(encoded)
        digest.update(encoded)
        counts[task_institution] += 1
    for row in mine.order_by("pk"):
        record(
            action="reworks.exported",
            actor=actor,
            institution=row,
            file_sha256=digest.hexdigest(),
            lines=counts[row.pk],
            since=since.isoformat() if since else "",
        )
    return Export(digest.hexdigest(), sum(counts.values()))


def _lines(institutions: list[int], since: datetime | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Reworks of changes, then those of results, each with the institution it belongs to."""
    changes = ChangeReview.objects.filter(decision=ReviewDecision.REWORK, task__institution__in=institutions)
    results = ResultReview.objects.filter(decision=ReviewDecision.REWORK, task__institution__in=institutions)
    if since is not None:
        changes, results = changes.filter(reviewed_at__gte=since), results.filter(created_at__gte=since)
    for change in changes.select_related("task").order_by("pk").iterator(chunk_size=20):
        following = change.task.change_reviews.filter(revision=change.revision + 1).first()
        yield change.task.institution_id, _line(change.task, change.context, change.diff, change.instruction, following)
    for result in results.select_related("task").order_by("pk").iterator(chunk_size=20):
        revisions = result.task.change_reviews
        before = revisions.filter(submitted_at__lt=result.created_at).order_by("-revision").first()
        following = revisions.filter(submitted_at__gt=result.created_at).order_by("revision").first()
        context = before.context if before else {"sub_type": result.task.sub_type, "params": result.task.params}
        yield (
            result.task.institution_id,
            _line(result.task, context, before.diff if before else "", result.comment, following),
        )


def _line(task: OpsTask, context: Any, diff: str, instruction: str, following: ChangeReview | None) -> dict[str, Any]:
    """One line of the file; `next_diff` is null while nothing followed."""
    return {
        "request": mask(task.text),
        "context": _masked(context),
        "diff": mask(diff),
        "instruction": mask(instruction),
        "next_diff": mask(following.diff) if following is not None else None,
    }


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(key): _hidden(key, item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _hidden(key: str, item: Any) -> Any:
    """A value under a name like "password" is masked as it would be in a line of text."""
    if isinstance(item, str) and mask(f"{key}={item}") != f"{key}={item}":
        return mask(f"{key}={item}")[len(key) + 1 :]
    return _masked(item)
