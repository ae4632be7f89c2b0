"""Filters of the admin's lists that cost the same however long the list is."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class ScopedRelatedFilter(admin.RelatedFieldListFilter):
    """Names what the reader may see on the related model's own page: nothing of other institutions, and without going
    through the whole list for what it mentions."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[Any, Any]]:
        related = model_admin.admin_site.get_model_admin(field.remote_field.model)
        return [(row.pk, str(row)) for row in related.get_queryset(request)]
