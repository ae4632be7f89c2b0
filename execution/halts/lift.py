from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.exceptions import ProofMissing
from accounts.identity import IdentityProof
from accounts.models import User
from audit.refusals import refusals_recorded
from execution.choices import HaltScope
from execution.gate.halts import CHANNEL
from execution.halts.press import tell
from execution.halts.who import halts_visible_to, require_halter
from execution.models import Halt
from execution.rollout.finish import mark_lifted
from governance.exceptions import ReasonMissing
from governance.services.bastion import require_bastion
from guardia.common.errors import NotVisible, StaleState
from guardia.common.queue import enqueue


@refusals_recorded
@transaction.atomic
def lift_halt(*, actor: User | str, pk: int, reason: str, proof: IdentityProof | None = None) -> Halt:
    """End a press: what waited for it starts by itself; runs that it stopped wait for their PM.

    Whoever may press it may lift it, from the networks that allow decisions; one that stops more than a run needs the
    password or a one-time code again (ADR 0017). Raises NotVisible, NotPermitted, OutsideBastion, ProofMissing,
    ReasonMissing, StaleState (lifted already).
    """
    rows = Halt.objects.all() if isinstance(actor, str) else halts_visible_to(actor)
    if not rows.filter(pk=pk).exists():
        raise NotVisible
    pressed = Halt.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
    require_halter(actor, pressed.institution)
    if isinstance(actor, User):
        require_bastion(actor=actor, institution=pressed.institution)
        if pressed.scope != HaltScope.RUN and (proof is None or not proof.holds_for(actor)):
            raise ProofMissing
    if not reason.strip():
        raise ReasonMissing
    if pressed.lifted_at is not None:
        raise StaleState(_("%(name)s has lifted it already.") % {"name": pressed.lifted_as})
    mark_lifted(pressed, actor=actor, reason=reason.strip()[:2000])
    tell(pressed, "halt_lifted", pressed.lifted_as, pressed.lift_reason)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(pressed.pk)])
    enqueue("execution.tasks.sweep")
    return pressed
