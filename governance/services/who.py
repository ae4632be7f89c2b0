"""Refusals that say who could do it instead."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.who import who_hold
from governance.choices import HANDS
from governance.exceptions import SelfApproval
from governance.selectors import is_pm, may_work_by_hand
from governance.services.bastion import require_bastion
from guardia.common.errors import NotPermitted
from tickets.models import OpsTask


def who_could(roles: Sequence[Role], task: OpsTask, *, but: set[int]) -> str:
    """The first few people who hold one of `roles` for the task and aren't in `but`."""
    return who_hold(roles, task.institution_id, but=but)


def require_pm(actor: User, task: OpsTask) -> None:
    """A PM of the institution who is no viewer, from where they may act; raises NotPermitted, OutsideBastion."""
    if not is_pm(actor, task):
        names = who_could([Role.PM], task, but={actor.pk})
        raise NotPermitted(_("This is for a project manager to decide: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=task.institution)


def require_hand(actor: User, task: OpsTask) -> None:
    """A PM or operator of the institution who is no viewer; raises NotPermitted, OutsideBastion."""
    if not may_work_by_hand(actor, task):
        names = who_could(HANDS, task, but={actor.pk})
        raise NotPermitted(_("Operators and project managers work by hand: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=task.institution)


def require_steerer(actor: User, task: OpsTask) -> None:
    """The same for acts on a run that is under way."""
    if not may_work_by_hand(actor, task):
        names = who_could(HANDS, task, but={actor.pk})
        raise NotPermitted(_("Operators and project managers steer a run: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=task.institution)


def require_other(actor: User, task: OpsTask, roles: Sequence[Role]) -> None:
    """Nobody who filed or amended the task judges its result. Raises SelfApproval."""
    if actor.pk in task.author_ids:
        names = who_could(roles, task, but={*task.author_ids})
        raise SelfApproval(_("Nobody judges the result of their own request. %(names)s can.") % {"names": names})


def require_judge(actor: User, task: OpsTask) -> None:
    """A PM who neither filed nor amended the task: nobody judges their own request.

    Raises SelfApproval, NotPermitted.
    """
    require_other(actor, task, [Role.PM])
    require_pm(actor, task)
