"""Being away: planned by the person, with the deputy they name; by an administrator only in an emergency."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, Membership, User
from accounts.scope import holders_of, visible_to
from accounts.who import named
from audit.refusals import refusals_recorded
from audit.services import record
from governance.exceptions import ReasonMissing
from governance.models import Absence
from governance.selectors_authority import administers, deputies_for
from governance.services.accounts import refuse_oneself
from governance.services.bastion import require_bastion
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible, StaleState
from notifications.services import notify


@transaction.atomic
def plan_absence(
    *, actor: User, starts_at: datetime, ends_at: datetime, reason: str, deputy: User | None = None
) -> Absence:
    """Enter the actor's own absence. Raises InvalidInput (times, overlap, deputy), ReasonMissing."""
    return _plan(actor, actor, starts_at, ends_at, reason, deputy)


@refusals_recorded
@transaction.atomic
def plan_absence_for(
    *, actor: User, user: User, starts_at: datetime, ends_at: datetime, reason: str, deputy: User | None = None
) -> Absence:
    """An administrator enters somebody else's absence in an emergency; that person is told, with the reason. What
    waits for them never goes to the administrator by it.

    Raises what `plan_absence` does, and NotPermitted.
    """
    _require_administrator_of(actor, user)
    if deputy is not None:
        refuse_oneself(actor, deputy, Institution.objects.filter(memberships__user=user).order_by("pk").first())
    absence = _plan(actor, user, starts_at, ends_at, reason, deputy)
    notify(
        recipients=[user],
        kind="absence_set",
        key=f"absence:{absence.pk}",
        link="/absence/",
        actor=actor,
        period=period_of(absence),
        reason=absence.reason,
    )
    return absence


@refusals_recorded
@transaction.atomic
def end_absence(*, actor: User, absence_pk: int, reason: str = "") -> Absence:
    """End an absence before its time. Somebody else's: administrators only, with a reason, and the person is told.

    Raises NotVisible, NotPermitted, ReasonMissing, StaleState (it has ended already).
    """
    absence = Absence.objects.select_for_update(of=("self",)).select_related("user").filter(pk=absence_pk).first()
    if absence is None or not (actor.pk == absence.user_id or _may_see(actor, absence)):
        raise NotVisible
    is_own = actor.pk == absence.user_id
    if not is_own:
        _require_administrator_of(actor, absence.user)
        if not reason.strip():
            raise ReasonMissing
    if not absence.is_open:
        raise StaleState(_("This absence has ended already."))
    absence.ended_at = now()
    absence.save(update_fields=["ended_at"])
    _record("absence.ended", actor, absence, "" if is_own else reason)
    if not is_own:
        notify(
            recipients=[absence.user],
            kind="absence_ended",
            key=f"absence:{absence.pk}",
            link="/absence/",
            actor=actor,
            period=period_of(absence),
            reason=reason,
        )
    return absence


def period_of(absence: Absence) -> str:
    """From – until, where the users are."""
    starts, ends = localtime(absence.starts_at), localtime(absence.ends_at)
    return f"{starts:%Y-%m-%d %H:%M} – {ends:%Y-%m-%d %H:%M}"


def _plan(actor: User, user: User, starts_at: datetime, ends_at: datetime, reason: str, deputy: User | None) -> Absence:
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)  # absences of one person, one after another
    if not user.is_active:
        raise StaleState(_("%(name)s's account is disabled.") % {"name": user})
    if not reason.strip():
        raise ReasonMissing
    if ends_at <= starts_at or ends_at <= now():
        raise InvalidInput(_("An absence ends after it begins, and not in the past."), code="wrong_period")
    if deputy is not None and not deputies_for(user).filter(pk=deputy.pk).exists():
        raise InvalidInput(
            _("The deputy must be another approver of the same institution."),
            code="wrong_deputy",
        )
    other = user.absences.filter(ended_at=None, starts_at__lt=ends_at, ends_at__gt=starts_at).first()
    if other is not None:
        raise InvalidInput(
            _("There is an absence at that time already: %(period)s.") % {"period": period_of(other)}, code="overlap"
        )
    absence = Absence.objects.create(
        user=user, deputy=deputy, starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), set_by=actor
    )
    _record("absence.planned", actor, absence, "" if actor.pk == user.pk else reason)
    return absence


def _record(action: str, actor: User, absence: Absence, reason: str) -> None:
    """In the chain of each institution where the person works. Why somebody is away is their own affair and stays
    out of it; why an administrator stepped in does not."""
    institutions = {
        membership.institution_id: membership.institution
        for membership in Membership.objects.filter(user=absence.user).select_related("institution")
    }
    for pk in sorted(institutions, key=lambda pk: (pk is not None, pk)) or [None]:
        record(
            action=action,
            actor=actor,
            institution=institutions.get(pk),
            subject=absence,
            summary=reason,
            user=absence.user.get_username(),
            deputy=absence.deputy.get_username() if absence.deputy else "",
            period=period_of(absence),
        )


def _may_see(actor: User, absence: Absence) -> bool:
    return visible_to(Absence.objects.filter(pk=absence.pk), actor).exists()


def _require_administrator_of(actor: User, user: User) -> None:
    """Administrators of an institution where the person works."""
    if actor.pk == user.pk or administers(actor, user):
        for institution in Institution.objects.filter(memberships__user=user).distinct() or [None]:
            require_bastion(actor=actor, institution=institution)
        return
    institution = Institution.objects.filter(memberships__user=user).order_by("pk").first()
    names = named(holders_of(Role.ADMINISTRATOR, institution.pk if institution else None))
    raise NotPermitted(
        _("An absence is %(user)s's own to enter; in an emergency an administrator can: %(names)s.")
        % {"user": user, "names": names}
    )
