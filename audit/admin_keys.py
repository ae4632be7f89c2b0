"""The data keys in the admin: which there are, and their erasure by two people."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_columns import chip_column, moment_column
from accounts.admin_filters import ScopedRelatedFilter
from accounts.caller import caller
from audit.admin_base import DecidedAdmin
from audit.models import DataKey
from audit.selectors import data_keys_visible_to
from audit.services.erase_key import decide_erasure, may_decide_erasure, may_propose_erasure, propose_erasure


@admin.register(DataKey)
class DataKeyAdmin(DecidedAdmin):
    list_display = (
        "key_id",
        "subject",
        "chain",
        moment_column("created_at", _("made")),
        chip_column("status", _("state")),
    )
    fields = ("key_id", "subject", "chain", "created_at", "status", "reason", "proposed_by", "decided_by", "decided_at")
    list_filter = ("status", ("chain", ScopedRelatedFilter))
    search_fields = ("=subject", "=key_id")
    list_select_related = ("chain",)
    change_form_template = "audit/data_key.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return data_keys_visible_to(caller(request))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/propose/", view(require_POST(self.propose)), name="audit_datakey_propose"),
            path("<path:object_id>/decide/", view(require_POST(self.decide)), name="audit_datakey_decide"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        key, user = self.get_object(request, object_id), caller(request)
        if key is not None:
            offers = {"may_propose": may_propose_erasure(user, key), "may_decide": may_decide_erasure(user, key)}
            extra_context = {**(extra_context or {}), **offers, "key": key}
        return super().change_view(request, object_id, form_url, extra_context)

    def propose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        reason = request.POST.get("reason", "")
        return self.act(request, object_id, lambda pk: propose_erasure(actor=caller(request), key_pk=pk, reason=reason))

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        erase = request.POST.get("decision") == "erase"
        return self.act(request, object_id, lambda pk: decide_erasure(actor=caller(request), key_pk=pk, erase=erase))
