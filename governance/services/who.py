"""Refusals that say who could do it instead."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holders_of, holds_role
from governance.choices import HANDS
from governance.exceptions import SelfApproval
from governance.services.bastion import require_bastion
from guardia.common.errors import NotPermitted
from tickets.models import OpsTask

_NAMED = 3


def who_could(roles: Sequence[Role], task: OpsTask, *, but: set[int]) -> str:
    """The first few people who hold one of `roles` for the task and aren't in `but`; "-" where there is nobody."""
    return who_hold(roles, task.institution_id, but=but)


def who_hold(roles: Sequence[Role], institution_id: int | None, *, but: set[int]) -> str:
    """The same for an institution; None: those who hold it for all of them. Superusers stand in for administrators."""
    people = [person for role in roles for person in holders_of(role, institution_id) if person.pk not in but]
    if not people and Role.ADMINISTRATOR in roles:
        people = list(User.objects.filter(is_superuser=True, is_active=True).exclude(pk__in=but).order_by("pk"))
    return ", ".join(dict.fromkeys(str(person) for person in people[:_NAMED])) or "-"


def require_pm(actor: User, task: OpsTask) -> None:
    """A PM of the institution; raises NotPermitted, OutsideBastion."""
    if not holds_role(actor, Role.PM, task.institution_id):
        names = who_could([Role.PM], task, but={actor.pk})
        raise NotPermitted(_("This is for a project manager to decide: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=task.institution)


def require_hand(actor: User, task: OpsTask) -> None:
    """A PM or operator of the institution; raises NotPermitted, OutsideBastion."""
    if not holds_role(actor, HANDS, task.institution_id):
        names = who_could(HANDS, task, but={actor.pk})
        raise NotPermitted(_("Operators and project managers work by hand: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=task.institution)


def require_judge(actor: User, task: OpsTask) -> None:
    """A PM who didn't file the task: nobody judges their own request. Raises SelfApproval, NotPermitted."""
    if actor.pk == task.requester_id:
        names = who_could([Role.PM], task, but={actor.pk})
        raise SelfApproval(_("Nobody judges the result of their own request. %(names)s can.") % {"names": names})
    require_pm(actor, task)
