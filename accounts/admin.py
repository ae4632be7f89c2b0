from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import ReadOnlyAdmin
from accounts.models import Institution, Membership, User
from accounts.scope import people_visible_to, visible_to


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    can_delete = False
    max_num = 0
    fields = readonly_fields = ("institution", "role", "authority")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A colleague's roles in other institutions are not the viewer's to know."""
        return visible_to(super().get_queryset(request), request.user)  # type: ignore[arg-type]  # the stubs know Django's own user alone


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People of the viewer's institutions. Accounts are changed by services and by the console, not here."""

    list_display = ("username", "display_name", "is_active", "last_login")
    search_fields = ("username", "display_name")
    fields = ("username", "display_name", "email", "phone", "is_active", "last_login", "date_joined")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return people_visible_to(request.user)  # type: ignore[arg-type]  # the stubs know Django's own user alone


@admin.register(Institution)
class InstitutionAdmin(ReadOnlyAdmin):
    list_display = ("code", "name")
    search_fields = ("code", "name")
