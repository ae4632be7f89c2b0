from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.admin_base import ReadOnlyAdmin, ScopedAdmin
from accounts.caller import caller
from cmdb.models import Credential, EnvironmentProfile, Server, Site, System
from cmdb.services.save_profile import save_profile


class CmdbAdmin(ScopedAdmin):
    """Operators change it; nothing is deleted, because runs and the chain name it."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Site)
class SiteAdmin(CmdbAdmin):
    list_display = ("code", "name", "institution", "tier")
    list_filter = ("tier",)
    search_fields = ("code", "name")
    list_select_related = ("institution",)


@admin.register(System)
class SystemAdmin(CmdbAdmin):
    list_display = ("code", "name", "institution")
    search_fields = ("code", "name")
    list_select_related = ("institution",)


@admin.register(Server)
class ServerAdmin(CmdbAdmin):
    list_display = ("hostname", "system", "site", "role", "address", "redundancy_group", "is_active")
    list_filter = ("role", "is_active", "site__tier")
    search_fields = ("hostname", "address")
    list_select_related = ("system", "site")


@admin.register(EnvironmentProfile)
class EnvironmentProfileAdmin(CmdbAdmin):
    list_display = ("name", "institution", "revision", "middleware")
    list_select_related = ("institution",)
    readonly_fields = ("revision",)

    def save_model(self, request: HttpRequest, obj: EnvironmentProfile, form: Any, change: bool) -> None:
        save_profile(actor=caller(request), profile=obj)


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    """Who logs in where; the sealed secret is not shown, not even sealed."""

    list_display = ("name", "institution", "kind", "username", "revision", "changed_at")
    fields = ("institution", "name", "kind", "username", "revision", "key_id", "changed_at")
    list_select_related = ("institution",)
