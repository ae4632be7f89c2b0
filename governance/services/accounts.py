"""Changes of accounts: they live on a lower floor, but who may make them is governance's to say."""

from collections.abc import Iterable

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.choices import STAFF_ROLES, Role, SessionEnd
from accounts.models import Institution, Membership, User
from accounts.scope import holds_role
from accounts.services.sessions import end_sessions
from accounts.who import named, who_hold
from audit.services import record
from governance.services.bastion import refusals_recorded, require_bastion
from guardia.common.errors import InvalidInput, NotPermitted


@refusals_recorded
@transaction.atomic
def create_account(*, actor: User, username: str, display_name: str, password: str) -> User:
    """Make an account without any role. Administrators only; raises InvalidInput for a taken name or weak password."""
    require_administrator(actor, None)
    user = User(username=username, display_name=display_name)
    try:
        validate_password(password, user)
        user.set_password(password)
        user.full_clean()
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages)) from error
    user.save()
    record(action="account.created", actor=actor, institution=None, subject=user)
    return user


@refusals_recorded
@transaction.atomic
def grant_role(*, actor: User, user: User, role: Role, institution: Institution | None) -> Membership:
    """Give a role in an institution (None: in all). Staff roles open the admin. Administrators only, never oneself."""
    require_administrator(actor, institution)
    refuse_oneself(actor, user, institution)
    user = User.objects.select_for_update().get(pk=user.pk)
    membership, is_new = Membership.objects.get_or_create(user=user, role=role, institution=institution)
    if role in STAFF_ROLES and not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    if is_new:
        record(action="role.granted", actor=actor, institution=institution, subject=user, role=role)
    return membership


@refusals_recorded
@transaction.atomic
def disable_account(*, actor: User, user: User, reason: str) -> User:
    """Nobody logs in, calls the API or keeps a page open with it: sessions end with the commit, sockets within 5 s.

    Administrators of every institution the person works in; never oneself, nor a superuser by less than one.
    Raises NotPermitted, InvalidInput (no reason).
    """
    user = _locked_account(actor, user)
    if not reason.strip():
        raise InvalidInput(_("Please say why."))
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        ended = end_sessions(Q(user=user), SessionEnd.DISABLED)
        record(
            action="account.disabled",
            actor=actor,
            institution=None,
            subject=user,
            summary=reason,
            sessions_ended=ended,
        )
    return user


@refusals_recorded
@transaction.atomic
def enable_account(*, actor: User, user: User, reason: str) -> User:
    """Back again, with the roles of before; sessions that were ended stay so. Raises as `disable_account`."""
    user = _locked_account(actor, user)
    if not reason.strip():
        raise InvalidInput(_("Please say why."))
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        record(action="account.enabled", actor=actor, institution=None, subject=user, summary=reason)
    return user


def _locked_account(actor: User, user: User) -> User:
    """The account's row, locked, when `actor` may open and close it."""
    user = User.objects.select_for_update().get(pk=user.pk)
    memberships = list(user.memberships.select_related("institution"))
    refuse_oneself(actor, user, next((row.institution for row in memberships), None))
    if user.is_superuser and not actor.is_superuser:
        people = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).order_by("pk")
        raise NotPermitted(_("Only another superuser may do that: %(names)s.") % {"names": named(people[:3])})
    for membership in memberships:
        require_administrator(actor, membership.institution)
    if not memberships:
        require_administrator(actor, None)
    return user


def refuse_oneself(actor: User, user: User, institution: Institution | None) -> None:
    """Nobody raises, disables or names themselves; raises NotPermitted with another administrator's name."""
    if actor.pk == user.pk:
        names = who_hold([Role.ADMINISTRATOR], institution.pk if institution else None, but={actor.pk})
        raise NotPermitted(
            _("Nobody does this for themselves; another administrator can: %(names)s.") % {"names": names}
        )


def require_administrator(actor: User, institution: Institution | None) -> None:
    """Superusers, and administrators of this institution (of all, where it concerns all), from where they may act."""
    require_role(actor, (Role.ADMINISTRATOR,), institution)


def require_role(actor: User, roles: Iterable[Role], institution: Institution | None) -> None:
    """The same for other roles. Raises NotPermitted, which names the roles that may, or OutsideBastion."""
    roles = tuple(roles)
    is_super = actor.is_active and actor.is_superuser
    if not is_super and not holds_role(actor, roles, institution.pk if institution else None):
        names = ", ".join(str(role.label) for role in roles)
        raise NotPermitted(_("Only these roles may do this here: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=institution)
