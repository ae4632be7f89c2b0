"""Broken ranges in the admin, and their acceptance by two people."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_columns import chip_column, moment_column
from accounts.caller import caller
from audit.admin_base import DecidedAdmin
from audit.fault_words import fault_words
from audit.models import IntegrityHold
from audit.selectors import holds_visible_to
from audit.services.accept_break import decide_acceptance, may_decide, may_propose, propose_acceptance


@admin.register(IntegrityHold)
class IntegrityHoldAdmin(DecidedAdmin):
    list_display = ("chain", "number", "kind", moment_column("found_at", _("found")), chip_column("status", _("state")))
    fields = ("chain", "number", "until", "kind", "what", "found_at", "status", "reason", "proposed_by", "decided_by")
    list_filter = ("status",)
    change_form_template = "audit/hold.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return holds_visible_to(caller(request))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/propose/", view(require_POST(self.propose)), name="audit_hold_propose"),
            path("<path:object_id>/decide/", view(require_POST(self.decide)), name="audit_hold_decide"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        hold, user = self.get_object(request, object_id), caller(request)
        if hold is not None:
            offers = {"may_propose": may_propose(user, hold), "may_decide": may_decide(user, hold), "hold": hold}
            extra_context = {**(extra_context or {}), **offers}
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description=_("detail"))
    def what(self, hold: IntegrityHold) -> str:
        return fault_words(hold.detail)

    def propose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        reason = request.POST.get("reason", "")
        return self.act(
            request, object_id, lambda pk: propose_acceptance(actor=caller(request), hold_pk=pk, reason=reason)
        )

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        accept = request.POST.get("decision") == "accept"
        return self.act(
            request, object_id, lambda pk: decide_acceptance(actor=caller(request), hold_pk=pk, accept=accept)
        )
