"""Changes of accounts: they live on a lower floor, but who may make them is governance's to say."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.choices import STAFF_ROLES, Role, SessionEnd
from accounts.lockout import unlock
from accounts.models import Institution, Membership, User
from accounts.scope import holds_role, visible_to
from accounts.services.sessions import end_sessions
from accounts.who import named, who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from governance.services.bastion import require_bastion
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible


@refusals_recorded
@transaction.atomic
def create_account(
    *, actor: User, username: str, display_name: str, password: str, must_change_password: bool = True
) -> User:
    """Make an account without any role; its holder chooses a password of their own at the first log-in.

    Without a password it is for somebody of the institution's directory. Administrators of all institutions only;
    raises InvalidInput for a taken name or weak password, or for none where there is no directory.
    """
    require_administrator(actor, None)
    user = User(username=username, display_name=display_name, must_change_password=must_change_password)
    if not password and settings.GUARDIA_LDAP_URL:
        user.must_change_password = False
    try:
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError(_("There is an account of this name already."))
        if user.must_change_password or password:
            validate_password(password, user)
        user.set_password(password or None)
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
def end_role(*, actor: User, membership_pk: int, reason: str) -> None:
    """Take a role in an institution away; the chain keeps it. Who has no role left that works in the admin leaves it.

    Administrators of that institution, never their own. Raises NotVisible, NotPermitted, OutsideBastion, InvalidInput.
    """
    membership = lock_membership(membership_pk, actor)
    if not reason.strip():
        raise InvalidInput(_("Please say why."))
    user, institution, role = membership.user, membership.institution, membership.role
    membership.delete()
    is_staff = user.is_superuser or Membership.objects.filter(user=user, role__in=STAFF_ROLES).exists()
    User.objects.filter(pk=user.pk).update(is_staff=is_staff)
    record(action="role.ended", actor=actor, institution=institution, subject=user, summary=reason.strip(), role=role)


@refusals_recorded
@transaction.atomic
def unlock_account(*, actor: User, user: User) -> int:
    """Let somebody try again who failed too often; returns from how many addresses. Raises as `disable_account`."""
    user = _locked_account(actor, user)
    forgotten = unlock(user.get_username())
    if forgotten:
        record(action="account.unlocked", actor=actor, institution=None, subject=user, addresses=forgotten)
    return forgotten


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


def lock_membership(membership_pk: int, actor: User) -> Membership:
    """Somebody else's role, locked, when `actor` administers where it holds. Raises NotVisible, NotPermitted."""
    seen = visible_to(Membership.objects.all(), actor).filter(pk=membership_pk)
    membership = Membership.objects.select_for_update(of=("self",)).select_related("user", "institution")
    found = membership.filter(pk__in=seen.values("pk")).first()
    if found is None:
        raise NotVisible
    require_administrator(actor, found.institution)
    refuse_oneself(actor, found.user, found.institution)
    return found


def require_administrator(actor: User, institution: Institution | None) -> None:
    """Superusers, and administrators of this institution (of all, where it concerns all), from where they may act."""
    require_role(actor, (Role.ADMINISTRATOR,), institution)


def require_role(actor: User, roles: Iterable[Role], institution: Institution | None) -> None:
    """The same for other roles. Raises NotPermitted, which names the roles that may, or OutsideBastion."""
    roles = tuple(roles)
    is_super = actor.is_active and actor.is_superuser
    if not is_super and not holds_role(actor, roles, institution.pk if institution else None):
        labels = ", ".join(str(role.label) for role in roles)
        people = who_hold(roles, institution.pk if institution else None, but={actor.pk})
        raise NotPermitted(
            _("Only these roles may do this here: %(roles)s. Ask %(names)s.") % {"roles": labels, "names": people}
        )
    require_bastion(actor=actor, institution=institution)
