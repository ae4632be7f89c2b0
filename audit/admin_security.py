"""The list of security events: a filter of the entries."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.security import ACTIONS, EVENTS


class SecurityFilter(admin.SimpleListFilter):
    """All security events, or those of one kind."""

    title = _("security events")
    parameter_name = "security"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All security events")), *((kind, label) for kind, (label, _actions) in EVENTS.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value()
        if asked == "all":
            return queryset.filter(action__in=ACTIONS)
        if asked in EVENTS:
            return queryset.filter(action__in=EVENTS[asked][1])
        return queryset
