"""From where administrators and approvers may act, and the entry that a refusal leaves behind."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from audit.services import record
from governance.exceptions import OutsideBastion
from governance.models import AccessRange
from guardia.common.context import current_trace

P = ParamSpec("P")
R = TypeVar("R")


def require_bastion(*, actor: User, institution: Institution | None) -> None:
    """Raises OutsideBastion where ranges are named for this institution (or all) and the caller is in none of them.

    A call that came through no door (a console, the demo) has no address and is let through: who has a shell here has
    the database. A door that can't say from where is refused.
    """
    trace = current_trace()
    ranges = ranges_for(institution)
    if not ranges or not (trace.channel or trace.source_ip) or any(row.holds(trace.source_ip) for row in ranges):
        return
    labels = ", ".join(sorted({row.label for row in ranges}))
    raise OutsideBastion(
        _("This can't be done from %(address)s. It can be done from: %(labels)s.")
        % {"address": trace.source_ip or "?", "labels": labels},
        actor=actor,
        institution=institution,
        labels=labels,
    )


def ranges_for(institution: Institution | None) -> list[AccessRange]:
    """The living ranges that count here: the institution's, and those of all."""
    said = Q(institution=None) | Q(institution=institution) if institution is not None else Q(institution=None)
    return list(AccessRange.objects.filter(said, is_active=True))


def refusals_recorded(service: Callable[P, R]) -> Callable[P, R]:
    """Write an entry when the service is refused for the caller's address; goes outside of its transaction, which
    takes everything else back."""

    @wraps(service)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return service(*args, **kwargs)
        except OutsideBastion as refusal:
            record_refusal(refusal, service.__name__)
            raise

    return guarded


@transaction.atomic
def record_refusal(refusal: OutsideBastion, act: str) -> None:
    """Who tried what from where; the address is in every entry."""
    record(
        action="access.refused",
        actor=refusal.actor,
        institution=refusal.institution,
        summary=str(refusal),
        act=act,
        allowed=refusal.labels,
    )
