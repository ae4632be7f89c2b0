"""The chain in the admin: read only, scoped by chain, with a button that verifies what the reader may see."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import moment_column
from accounts.admin_filters import ScopedRelatedFilter
from accounts.caller import caller
from audit.models import Chain, Entry
from audit.selectors import chains_visible_to, entries_visible_to
from audit.verification import verify_all


@admin.register(Chain)
class ChainAdmin(ReadOnlyAdmin):
    list_display = ("key", "head_number", "head_hash")
    change_list_template = "audit/chain_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return chains_visible_to(caller(request))

    def get_urls(self) -> list[URLPattern]:
        verify = self.admin_site.admin_view(require_POST(self.verify))
        return [path("verify/", verify, name="audit_chain_verify"), *super().get_urls()]

    def verify(self, request: HttpRequest) -> HttpResponse:
        """Recompute every chain the reader may see, and show the first bad entry of each broken one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        reports = verify_all(chains_visible_to(caller(request)))
        context = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name_plural,
            "reports": reports,
            "is_intact": all(report.is_intact for report in reports),
            "opts": self.opts,
        }
        return TemplateResponse(request, "audit/verification.html", context)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "chain", moment_column("recorded_at", _("time")), "actor", "action", "task_id")
    list_filter = (("chain", ScopedRelatedFilter),)
    search_fields = ("=task_id", "=action", "=actor")
    list_select_related = ("chain",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return entries_visible_to(caller(request))
