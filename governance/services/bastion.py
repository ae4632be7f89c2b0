"""From where administrators and approvers may act: asked by every act of rank, on this floor by its permission check,
on the floors below by a signal (`accounts.signals.acting_by_rank`)."""

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.exceptions import OutsideBastion
from accounts.models import Institution, User
from governance.models import AccessRange
from guardia.common.context import current_trace


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
