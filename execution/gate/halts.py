"""Which presses of the kill switch cover a run, and what they forbid: going on, and going back where they say so."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from execution.choices import HaltScope, Phase
from execution.exceptions import Halted
from execution.models import Halt, Run

CHANNEL = "guardia_halts"


def living_halts() -> QuerySet[Halt]:
    return Halt.objects.filter(lifted_at=None).select_related("institution", "run__task", "halted_by")


def halts_of_institution(institution_id: int) -> QuerySet[Halt]:
    """What keeps every run of an institution from starting."""
    return living_halts().filter(_wide(institution_id))


def halts_on(run: Run, phase: Phase) -> QuerySet[Halt]:
    """What keeps this run from going on (APPLY, CHECK) or back (UNDO), those that leave things as they are first.

    A way back is stopped only by a press that leaves things as they are.
    """
    covering = living_halts().filter(covering_run(run))
    return (covering.filter(rolls_back=False) if phase == Phase.UNDO else covering).order_by("rolls_back", "pk")


def covering_run(run: Run) -> Q:
    return _wide(run.task.institution_id) | Q(scope=HaltScope.RUN, run_id=run.pk)


def refuse_halted(run: Run, phase: Phase) -> None:
    """Raises Halted."""
    halt = halts_on(run, phase).first()
    if halt is not None:
        raise Halted(words_of(halt))


def words_of(halt: Halt) -> str:
    return _("Kill switch pressed by %(who)s: %(reason)s") % {"who": halt.halted_as, "reason": halt.reason}


def _wide(institution_id: int) -> Q:
    return Q(scope=HaltScope.GLOBAL) | Q(scope=HaltScope.INSTITUTION, institution_id=institution_id)
