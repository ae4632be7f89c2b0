"""A broken range that can't be restored is accepted by two people; the broken chain is closed, another goes on."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holds_role, sees_everything
from accounts.signals import acting_by_rank
from audit.chain import genesis
from audit.choices import HoldStatus
from audit.exceptions import ReasonNeeded, SecondPersonNeeded
from audit.models import SYSTEM_CHAIN, Chain, IntegrityHold
from audit.refusals import refusals_recorded
from audit.roles import DECIDERS
from audit.seal import CHECKPOINTS
from audit.selectors import holds_visible_to
from audit.services.record import record
from guardia.common.clock import now
from guardia.common.errors import NotPermitted, NotVisible, StaleState


@refusals_recorded
@transaction.atomic
def propose_acceptance(*, actor: User, hold_pk: int, reason: str) -> IntegrityHold:
    """A security officer of the scope asks, with a reason, that executions go on in spite of the break.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonNeeded, StaleState.
    """
    hold = _locked(hold_pk, actor)
    if not may_propose(actor, hold):
        raise NotPermitted(_("A security officer proposes this."))
    acting_by_rank.send(User, actor=actor, institution=_institution(hold))
    if not reason.strip():
        raise ReasonNeeded
    if hold.status != HoldStatus.ACTIVE:
        raise StaleState
    hold.status, hold.reason, hold.proposed_by = HoldStatus.PROPOSED, reason.strip(), actor
    hold.save()
    record(action="integrity.acceptance_proposed", actor=actor, institution=None, subject=hold, summary=reason)
    return hold


@refusals_recorded
@transaction.atomic
def decide_acceptance(*, actor: User, hold_pk: int, accept: bool) -> IntegrityHold:
    """A second person of rank accepts, and the scope's chain begins anew; or refuses, and everything stays stopped.

    Raises NotVisible, NotPermitted, OutsideBastion, SecondPersonNeeded, StaleState.
    """
    hold = _locked(hold_pk, actor)
    if not _is_of_rank(actor, hold):
        raise NotPermitted(_("A security officer or administrator decides this."))
    acting_by_rank.send(User, actor=actor, institution=_institution(hold))
    if hold.status != HoldStatus.PROPOSED:
        raise StaleState
    if hold.proposed_by_id == actor.pk:
        raise SecondPersonNeeded
    if not accept:
        hold.status, hold.reason, hold.proposed_by = HoldStatus.ACTIVE, "", None
        hold.save()
        record(action="integrity.acceptance_refused", actor=actor, institution=None, subject=hold)
        return hold
    hold.status, hold.decided_by, hold.decided_at = HoldStatus.ACCEPTED, actor, now()
    hold.save()
    if hold.chain != CHECKPOINTS:
        _begin_anew(hold, actor)
    facts: dict[str, Any] = {
        "chain": hold.chain,
        "number": hold.number,
        "kind": hold.kind,
        "proposed_by": str(hold.proposed_by),
    }
    record(action="integrity.accepted", actor=actor, institution=None, subject=hold, summary=hold.reason, **facts)
    return hold


def may_propose(user: User, hold: IntegrityHold) -> bool:
    return hold.status == HoldStatus.ACTIVE and holds_role(user, Role.SECURITY_OFFICER, _institution_id(hold))


def may_decide(user: User, hold: IntegrityHold) -> bool:
    return hold.status == HoldStatus.PROPOSED and hold.proposed_by_id != user.pk and _is_of_rank(user, hold)


def _is_of_rank(user: User, hold: IntegrityHold) -> bool:
    return holds_role(user, DECIDERS, _institution_id(hold))


def _institution(hold: IntegrityHold) -> Institution | None:
    code = hold.scope.removeprefix("institution:")
    return Institution.objects.filter(code=code).first() if code else None


def _institution_id(hold: IntegrityHold) -> int | None:
    institution = _institution(hold)
    return institution.pk if institution is not None else None


def _locked(hold_pk: int, actor: User) -> IntegrityHold:
    if not holds_visible_to(actor).filter(pk=hold_pk).exists():
        raise NotVisible
    hold = IntegrityHold.objects.select_for_update(of=("self",)).get(pk=hold_pk)
    if not hold.scope and not sees_everything(actor):
        raise NotVisible
    return hold


def _begin_anew(hold: IntegrityHold, actor: User) -> None:
    """Close the broken chain, which stays as it is, as evidence; the next act of the scope opens its successor."""
    chain = Chain.objects.select_for_update().filter(key=hold.chain).first()
    scope = chain.serves if chain else hold.chain
    institution = Institution.objects.filter(code=scope.removeprefix("institution:")).first()
    if scope != SYSTEM_CHAIN and institution is None:
        return
    generation = Chain.objects.filter(scope=scope).count() + 2
    key = f"{scope}~{generation}"
    if chain is not None and not chain.is_closed:
        Chain.objects.filter(pk=chain.pk).update(is_closed=True)
    Chain.objects.create(key=key, scope=scope, head_hash=genesis(key))
    record(
        action="chain.begun_anew",
        actor=actor,
        institution=institution,
        subject=hold,
        summary=hold.reason,
        after=hold.chain,
        after_number=chain.head_number if chain else 0,
        after_hash=chain.head_hash if chain else "",
        first_bad=hold.number,
        kind=hold.kind,
    )
