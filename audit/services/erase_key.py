"""The right to be forgotten: a data key is erased by two people; the chain verifies as before, and says that it was."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.scope import holds_role
from accounts.signals import acting_by_rank
from accounts.who import who_hold
from audit.choices import KeyStatus
from audit.exceptions import ReasonNeeded, SecondPersonNeeded
from audit.models import DataKey
from audit.reading import institution_id_of, institution_of
from audit.refusals import refusals_recorded
from audit.roles import DECIDERS
from audit.selectors import data_keys_visible_to
from audit.services.record import KEY_ERASED, record
from guardia.common.clock import now
from guardia.common.errors import NotPermitted, NotVisible, StaleState


@refusals_recorded
@transaction.atomic
def propose_erasure(*, actor: User, key_pk: int, reason: str) -> DataKey:
    """Ask, with a reason, that what this key seals can never be read again. Nothing is erased yet.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonNeeded, StaleState.
    """
    key = _locked(key_pk, actor)
    if not reason.strip():
        raise ReasonNeeded
    if key.status != KeyStatus.LIVING:
        raise StaleState
    key.status, key.reason, key.proposed_by = KeyStatus.PROPOSED, reason.strip(), actor
    key.save(update_fields=["status", "reason", "proposed_by"])
    _record(key, actor, "data_key.erasure_proposed", key.reason)
    return key


@refusals_recorded
@transaction.atomic
def decide_erasure(*, actor: User, key_pk: int, erase: bool) -> DataKey:
    """A second person of rank erases the key for good, or keeps it.

    Raises NotVisible, NotPermitted, OutsideBastion, SecondPersonNeeded, StaleState.
    """
    key = _locked(key_pk, actor)
    if key.status != KeyStatus.PROPOSED:
        raise StaleState
    if key.proposed_by_id == actor.pk:
        raise SecondPersonNeeded
    reason, proposer = key.reason, key.proposed_by
    if not erase:
        key.status, key.reason, key.proposed_by = KeyStatus.LIVING, "", None
        key.save(update_fields=["status", "reason", "proposed_by"])
        _record(key, actor, "data_key.erasure_refused", reason)
        return key
    key.status, key.wrapped, key.decided_by, key.decided_at = KeyStatus.ERASED, None, actor, now()
    key.save(update_fields=["status", "wrapped", "decided_by", "decided_at"])
    _record(key, actor, KEY_ERASED, reason, proposed_by=proposer.get_username() if proposer else "")
    return key


def may_propose_erasure(user: User, key: DataKey) -> bool:
    return key.status == KeyStatus.LIVING and _is_of_rank(user, key)


def may_decide_erasure(user: User, key: DataKey) -> bool:
    return key.status == KeyStatus.PROPOSED and key.proposed_by_id != user.pk and _is_of_rank(user, key)


def _is_of_rank(user: User, key: DataKey) -> bool:
    return holds_role(user, DECIDERS, institution_id_of(key.chain))


def _locked(key_pk: int, actor: User) -> DataKey:
    """The key, for somebody of rank in its institution."""
    if not data_keys_visible_to(actor).filter(pk=key_pk).exists():
        raise NotVisible
    key = DataKey.objects.select_for_update(of=("self",)).select_related("chain", "proposed_by").get(pk=key_pk)
    institution = institution_of(key.chain)
    if not _is_of_rank(actor, key):
        names = who_hold(DECIDERS, institution.pk if institution is not None else None)
        raise NotPermitted(_("What is personal in the chain is erased by two of: %(names)s.") % {"names": names})
    acting_by_rank.send(User, actor=actor, institution=institution)
    return key


def _record(key: DataKey, actor: User, action: str, reason: str, **facts: str) -> None:
    record(
        action=action,
        actor=actor,
        institution=institution_of(key.chain),
        subject=key,
        summary=reason,
        chain=key.chain.key,
        key=key.key_id,
        about=key.subject,
        **facts,
    )
