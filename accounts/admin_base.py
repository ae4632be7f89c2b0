"""What every admin page of ours shares: scoped to the user, and read-only unless the page says otherwise."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.scope import visible_to
from guardia.common.paging import CappedPaginator


class ScopedAdmin(admin.ModelAdmin):
    """Shows only what belongs to the user's institutions, in lists, pages and the choices of foreign keys."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_to(super().get_queryset(request), request.user)  # type: ignore[arg-type]  # the stubs know Django's own user alone

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """A filter that the database can't make sense of is like one that the admin can't: back to the whole list."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.remote_field.model
        if hasattr(related, "scope_path") and "queryset" not in kwargs:
            kwargs["queryset"] = visible_to(related._default_manager.all(), request.user)  # type: ignore[arg-type]  # the stubs know Django's own user alone
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ReadOnlyAdmin(ScopedAdmin):
    """Rows that only services write: looked at here, never added, changed or deleted."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
