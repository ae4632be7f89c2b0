"""A policy changes by two people: one proposes, another accepts or refuses. There is no other way."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.who import named
from audit.refusals import refusals_recorded
from audit.services import record
from governance.exceptions import ReasonMissing, SelfApproval
from governance.models import ApprovalPolicy, PolicyChange
from governance.policy_documents import PolicyDocument, check_document, document_of, write_policy
from governance.selectors import is_policy_officer, policy_officers
from governance.services.bastion import require_bastion
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState
from notifications.services import notify

LINK = "/policies/changes/"


@refusals_recorded
@transaction.atomic
def propose_policy_change(
    *, actor: User, policy_pk: int | None, after: PolicyDocument | None, reason: str
) -> PolicyChange:
    """Propose what a policy shall be (`policy_pk` None: a new one; `after` None: none any more).

    Raises NotPermitted, OutsideBastion, NotVisible, ReasonMissing, InvalidInput. The other officers are told.
    """
    _require_officer(actor)
    policy = None
    if policy_pk is not None:
        policy = ApprovalPolicy.objects.filter(pk=policy_pk).first()
        if policy is None:
            raise NotVisible
    if not reason.strip():
        raise ReasonMissing
    before = document_of(policy) if policy else None
    if before == after:
        raise InvalidInput(_("Nothing would change."))
    if after is not None:
        check_document(after, policy)
    change = PolicyChange.objects.create(
        policy=policy, before=before, after=after, reason=reason.strip(), proposer=actor
    )
    record(
        action="policy_change.proposed",
        actor=actor,
        institution=None,
        subject=change,
        summary=change.reason,
        before=before,
        after=after,
    )
    notify(
        recipients=policy_officers().exclude(pk=actor.pk),
        kind="policy_change_proposed",
        key=f"change:{change.pk}",
        link=LINK,
        actor=actor,
        title=change.title,
    )
    return change


@refusals_recorded
@transaction.atomic
def decide_policy_change(*, actor: User, pk: int, is_accepted: bool, comment: str = "") -> PolicyChange:
    """Accept (the policy is written) or refuse another's proposal; its proposer can only withdraw it.

    Raises NotPermitted, NotVisible, SelfApproval, ReasonMissing; StaleState where it was decided, or where the
    policy has changed since the proposal; InvalidInput where another policy has taken its place meanwhile.
    """
    change = _locked(actor, pk)
    if actor.pk == change.proposer_id:
        names = named(policy_officers().exclude(pk=actor.pk)[:3])
        raise SelfApproval(_("Nobody accepts their own proposal. %(names)s can.") % {"names": names})
    if not is_accepted and not comment.strip():
        raise ReasonMissing
    if is_accepted:
        _write(change)
        change.apply(by=actor, comment=comment.strip())
    else:
        change.refuse(by=actor, comment=comment.strip())
    _close(change, actor)
    notify(
        recipients=[change.proposer],
        kind="policy_change_decided",
        key=f"change:{change.pk}",
        link=LINK,
        actor=actor,
        title=change.title,
        outcome=change.get_status_display(),
    )
    return change


@refusals_recorded
@transaction.atomic
def withdraw_policy_change(*, actor: User, pk: int) -> PolicyChange:
    """Take one's own proposal back. Raises NotPermitted, NotVisible, StaleState."""
    change = _locked(actor, pk)
    if actor.pk != change.proposer_id:
        raise NotPermitted(_("Only %(name)s, who proposed it, can take it back.") % {"name": change.proposer})
    change.withdraw(by=actor, comment="")
    _close(change, actor)
    return change


def _require_officer(actor: User) -> None:
    if not is_policy_officer(actor):
        names = named(policy_officers()[:3])
        raise NotPermitted(_("Policies hold for all institutions. Who may change them: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=None)


def _locked(actor: User, pk: int) -> PolicyChange:
    _require_officer(actor)
    change = PolicyChange.objects.select_for_update(of=("self",)).select_related("proposer").filter(pk=pk).first()
    if change is None:
        raise NotVisible
    if change.decided_by_id is not None:
        raise StaleState(_("Already decided by %(name)s.") % {"name": change.decided_by})
    return change


def _write(change: PolicyChange) -> None:
    policy = ApprovalPolicy.objects.select_for_update().filter(pk=change.policy_id or 0).first()
    if (document_of(policy) if policy else None) != change.before:
        raise StaleState(_("The policy has changed since this was proposed. Refuse it and propose again."))
    if change.after is None:
        assert policy is not None, "a proposal has a policy before or after"
        policy.delete()
        change.policy = None
        return
    check_document(change.after, policy)
    change.policy = write_policy(change.after, policy)


def _close(change: PolicyChange, actor: User) -> None:
    change.save()
    record(
        action=f"policy_change.{change.status.lower()}",
        actor=actor,
        institution=None,
        subject=change,
        summary=change.comment,
        proposer=change.proposer.get_username(),
        before=change.before,
        after=change.after,
    )
