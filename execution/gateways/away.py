"""What a gateway does alone: the core's presses of the kill switch become its own, and its absence may be one."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import Institution
from audit.services import record
from cmdb.choices import WhenAway
from execution.choices import HaltScope
from execution.gate.halts import CHANNEL
from execution.halts.press import stop_covered_runs
from execution.models import CoreLink, Halt, Run
from execution.rollout.finish import mark_lifted
from guardia.common.clock import now
from guardia.common.queue import enqueue

CORE, ALONE = "core: ", "guardia: the core is away"
_MIRRORED = Q(halted_as__startswith=CORE)
_BY_ITSELF = _MIRRORED | Q(halted_as=ALONE)


def own_presses() -> Q:
    """Those that the core must hear of, because it didn't press them."""
    return ~_MIRRORED


def halt_if_core_away() -> None:
    """Where the policy says so: stop what is under way when the core wasn't reached for too long. In a gateway only."""
    if not settings.GUARDIA_GATEWAY or not Run.objects.filter(finished_at=None).exists():
        return
    late = Now() - timedelta(seconds=1) * _away_seconds()
    if not CoreLink.objects.filter(when_away=WhenAway.HALT, seen_at__lt=late).exists():
        return
    _press(None, None, _("The core wasn't reached for %(count)s seconds.") % {"count": _away_seconds()}, ALONE, False)


def mirror_halts(halts: list[dict[str, Any]]) -> None:
    """Make the core's presses ours, and lift those of ours that it has lifted: it has just been reached."""
    institution = Institution.objects.order_by("pk").first()
    wanted: dict[int | None, dict[str, Any]] = {}
    for said in halts:
        wanted.setdefault(None if said["run"] is None else int(said["run"]), said)
    for row in Halt.objects.filter(_BY_ITSELF, lifted_at=None):
        if row.halted_as == ALONE or row.run_id not in wanted:
            with transaction.atomic():
                mark_lifted(Halt.objects.select_for_update(of=("self",)).get(pk=row.pk), actor="core", reason="lifted")
    for run_pk, said in wanted.items():
        run = Run.objects.filter(pk=run_pk).first() if run_pk is not None else None
        if institution is not None and (run is not None or run_pk is None):
            _press(institution, run, str(said["reason"]), CORE + str(said["halted_as"]), bool(said["rolls_back"]))


def _press(institution: Institution | None, run: Run | None, reason: str, who: str, rolls_back: bool) -> None:
    """The row with its bell; one that stands already is enough."""
    scope = HaltScope.RUN if run is not None else HaltScope.INSTITUTION if institution is not None else HaltScope.GLOBAL
    place = {"scope": scope, "institution": institution, "run": run, "lifted_at": None}
    with transaction.atomic():
        told = {"reason": reason[:2000], "halted_as": who[:160], "rolls_back": rolls_back, "recorded_at": now()}
        pressed, is_new = Halt.objects.get_or_create(**place, defaults=told)
        if not is_new:
            return
        record(
            action="halt.pressed",
            actor=who[:160],
            institution=institution,
            subject=pressed,
            summary=reason,
            scope=scope,
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(pressed.pk)])
        enqueue("execution.tasks.sweep")
    stop_covered_runs(pressed)


def _away_seconds() -> int:
    return CoreLink.objects.values_list("away_seconds", flat=True).first() or 0
