"""How much one user, and one institution, may ask for (settings: GUARDIA_QUOTA_*; 0 switches a quota off)."""

from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Institution, User
from guardia.common.clock import now
from tickets.exceptions import QuotaExceeded
from tickets.models import Artefact, OpsTask

_MIB = 1024 * 1024


def check_requests(actor: User, institution: Institution) -> None:
    """Raises QuotaExceeded where another request would be one too many today (of Seoul).

    Exact for who has locked the day (`tickets.locks.lock_day`).
    """
    for whose, name, limit in (
        (OpsTask.objects.filter(requester=actor), str(actor), settings.GUARDIA_QUOTA_USER_REQUESTS),
        (OpsTask.objects.filter(institution=institution), str(institution), settings.GUARDIA_QUOTA_REQUESTS),
    ):
        if limit and _is_reached(whose, limit):
            text = _("%(name)s has filed %(limit)s requests today: more are taken after midnight.")
            raise QuotaExceeded(text % {"name": name, "limit": limit}, code="quota_requests", limit=limit)


def check_bytes(requester: User, institution: Institution, size: int) -> None:
    """Raises QuotaExceeded where a file of `size` bytes would pass what the files of open requests, and of those of
    today, may come to. Exact as above."""
    for whose, name, limit in (
        (Q(task__requester=requester), str(requester), settings.GUARDIA_QUOTA_USER_MIB),
        (Q(task__institution=institution), str(institution), settings.GUARDIA_QUOTA_MIB),
    ):
        if limit and _held(whose) + size > limit * _MIB:
            text = _(
                "The files of %(name)s's open requests, and of those of today, may come to %(limit)s MiB; with this "
                "one they would be more. There is room again when requests end or are withdrawn, and after midnight."
            )
            raise QuotaExceeded(text % {"name": name, "limit": limit}, code="quota_bytes", limit=limit)


def _is_reached(tasks: QuerySet[OpsTask], limit: int) -> bool:
    """Whether the limit-th newest is of today: an index tells, however many there are."""
    oldest = tasks.order_by("-pk").values_list("created_at", flat=True)[limit - 1 : limit]
    return any(created_at >= _midnight() for created_at in oldest)


def _held(whose: Q) -> int:
    living = Q(task__closed_at=None) | Q(created_at__gte=_midnight())
    return int(Artefact.objects.filter(whose, living).aggregate(total=Sum("size", default=0))["total"])


def _midnight() -> datetime:
    today = timezone.localtime(now(), timezone.get_default_timezone())
    return today.replace(hour=0, minute=0, second=0, microsecond=0)
