from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import chip_column, moment_column
from accounts.admin_filters import ScopedRelatedFilter
from tickets.models import OpsTask
from tickets.panels import panels_of
from tickets.selectors import search_tasks, whole


@admin.register(OpsTask)
class OpsTaskAdmin(ReadOnlyAdmin):
    """The list of tasks, and the one page where everything about a task comes together (`tickets.panels`)."""

    list_display = (
        "task_id",
        "title",
        "institution",
        "system",
        "sub_type",
        chip_column("risk", _("risk")),
        chip_column("status", _("status")),
        "requester",
        moment_column("created_at", _("filed")),
    )
    list_display_links = ("task_id", "title")
    list_filter = (
        "status",
        "category",
        "risk",
        ("institution", ScopedRelatedFilter),
        "created_at",
        "is_urgent",
        "is_dangerous",
    )
    search_fields = ("task_id", "text")  # shows the field; `get_search_results` searches
    list_select_related = ("institution", "system", "requester")
    change_form_template = "tickets/task_page.html"

    @admin.display(description=_("request"))
    def title(self, task: OpsTask) -> str:
        return task.title

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> OpsTask | None:
        """Read once for its page, which Django's own view asks for again."""
        if not hasattr(request, "_task_shown"):
            try:
                rows = whole(self.get_queryset(request)).filter(pk=object_id)
                request._task_shown = rows.first()  # type: ignore[attr-defined]  # an attribute of ours, or of django-axes
            except (ValidationError, ValueError):
                return None
        return request._task_shown  # type: ignore[attr-defined,no-any-return]  # an attribute of ours, or of django-axes

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OpsTask], search_term: str
    ) -> tuple[QuerySet[OpsTask], bool]:
        words = search_term.strip()[:80]
        return (search_tasks(queryset, words) if words else queryset), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        task = self.get_object(request, object_id)
        panels = panels_of(request, task) if task is not None else []
        context = {**(extra_context or {}), "task": task, "panels": panels, "title": str(task)}
        return super().change_view(request, object_id, form_url, context)
