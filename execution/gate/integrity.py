"""Nothing new begins where the record of it is broken (docs/audit-format.md, “What follows”)."""

from django.utils.translation import gettext as _

from accounts.models import Institution
from audit.selectors import stopping_hold
from execution.exceptions import GateClosed


def check_integrity(institution: Institution) -> None:
    """Asked before a run, before each wave, and before the first step on a host: what has begun is ended or
    undone, so that no group stays half done. Raises GateClosed while a broken chain stops this institution.
    """
    hold = stopping_hold(institution)
    if hold is not None:
        words = _("The audit chain %(chain)s is broken at entry %(number)s: nothing is executed until that is settled.")
        raise GateClosed(words % {"chain": hold.chain, "number": hold.number}, code="integrity_hold")
