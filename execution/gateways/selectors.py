"""Reads of gateways for pages, scoped to a user."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import BooleanField, Case, Count, Q, QuerySet, Value, When
from django.db.models.functions import Now

from accounts.models import User
from accounts.scope import visible_to
from cmdb.choices import GatewayState
from cmdb.models import Gateway

_HOSTS_SHOWN = 20
#: Longer without a word than some rounds take, and a page says that a gateway is away.
LATE_SECONDS = 30


def gateways_visible_to(user: User | AnonymousUser) -> QuerySet[Gateway]:
    """With `site_count`, `open_count` (hosts it holds) and `is_late` (in service, and not heard of for a while)."""
    late = Q(state=GatewayState.ACTIVE) & (Q(seen_at=None) | Q(seen_at__lt=Now() - timedelta(seconds=LATE_SECONDS)))
    return (
        visible_to(Gateway.objects.select_related("institution"), user)
        .annotate(
            site_count=Count("sites", distinct=True),
            open_count=Count("orders", filter=Q(orders__settled_at=None), distinct=True),
            is_late=Case(When(late, then=Value(True)), default=Value(False), output_field=BooleanField()),
        )
        .order_by("institution__code", "code")
    )


def gateways_of(user: User | AnonymousUser, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Which hosts of a plan go through which gateway, and whether it comes; empty (and no query) where none does."""
    hosts: dict[str, list[str]] = {}
    for hostname, spec in content["hosts"].items():
        if "gateway" in spec:
            hosts.setdefault(spec["gateway"], []).append(hostname)
    if not hosts:
        return []
    known = {gateway.full_code: gateway for gateway in gateways_visible_to(user)}
    return [
        {
            "name": str(known.get(code, code)),
            "hosts": names[:_HOSTS_SHOWN],
            "left": len(names[_HOSTS_SHOWN:]),
            "is_late": code in known and known[code].is_late,  # type: ignore[attr-defined]  # annotated
            "seen_at": known[code].seen_at if code in known else None,
        }
        for code, names in sorted(hosts.items())
    ]
