"""Who may press and lift. Stopping is for many, starting everything again for few."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holds_role, memberships_of, sees_everything, visible_to, where_holding
from accounts.who import who_hold
from execution.choices import HaltScope
from execution.models import Halt
from guardia.common.errors import NotPermitted

#: For everything: only those who hold the role for all institutions.
OF_ALL = (Role.ADMINISTRATOR, Role.SECURITY_OFFICER)
#: For an institution and its runs.
OF_ONE = (*OF_ALL, Role.PM, Role.OPERATOR)


def require_halter(actor: User | str, institution: Institution | None) -> None:
    """Raises NotPermitted, saying who could. A console has no user: whoever has a shell here has the database."""
    if isinstance(actor, str) or may_halt(actor, institution.pk if institution is not None else None):
        return
    roles, key = (OF_ONE, institution.pk) if institution is not None else (OF_ALL, None)
    names = who_hold(roles, key, but={actor.pk})
    raise NotPermitted(_("These people can press and lift the kill switch here: %(names)s.") % {"names": names})


def may_halt(user: User, institution_id: int | None) -> bool:
    """For an institution; None: for everything."""
    if not user.is_active:
        return False
    return user.is_superuser or holds_role(user, OF_ALL if institution_id is None else OF_ONE, institution_id)


def may_press(user: User | AnonymousUser) -> bool:
    """Whether there is anything at all that the user may halt: one look, for the button on every page."""
    if not isinstance(user, User) or not user.is_active or not user.is_staff:
        return False
    return user.is_superuser or any(held.role in OF_ONE for held in memberships_of(user))


def institutions_to_halt(user: User) -> QuerySet[Institution]:
    """Those that the user may halt as a whole."""
    return where_holding(Institution.objects.all(), user, OF_ONE)


def halts_visible_to(user: User | AnonymousUser) -> QuerySet[Halt]:
    """Those of the user's institutions; what stops everything is everybody's business."""
    if not isinstance(user, User) or not user.is_active:
        return Halt.objects.none()
    rows = Halt.objects.select_related("institution", "run__task")
    return rows.filter(Q(pk__in=visible_to(Halt.objects.all(), user).values("pk")) | Q(scope=HaltScope.GLOBAL))


def living_halts_shown_to(user: User) -> QuerySet[Halt]:
    """The same of those that hold now, in one query: for the banner of every page. A run's own is on its page."""
    rows = Halt.objects.select_related("institution").filter(lifted_at=None).exclude(scope=HaltScope.RUN)
    if sees_everything(user):
        return rows
    mine = [held.institution_id for held in memberships_of(user)]
    return rows.filter(Q(scope=HaltScope.GLOBAL) | Q(institution__in=mine))
