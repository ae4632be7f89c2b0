from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ReadOnlyAdmin
from accounts.caller import caller
from accounts.choices import Role
from accounts.scope import where_holding
from audit.admin_base import WrittenAdmin
from cmdb.models import Balancer, Credential, Database, EnvironmentProfile, Gateway, Server, Site, System
from cmdb.services.save_profile import save_profile
from cmdb.services.save_row import save_row


class CmdbAdmin(WrittenAdmin):
    """Operators change it, in the institutions that they operate; nothing is deleted, because runs and the chain
    name it."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or _operated(type(obj)._default_manager.filter(pk=obj.pk), request).exists()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """What a row may be tied to: never something of an institution where the user only looks on."""
        kwargs["queryset"] = _operated(db_field.remote_field.model._default_manager.all(), request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_row(actor=caller(request), row=obj)


def _operated(queryset: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    return where_holding(queryset, caller(request), (Role.OPERATOR,))


@admin.register(Site)
class SiteAdmin(CmdbAdmin):
    list_display = ("code", "name", "institution", "tier", "gateway")
    list_filter = ("tier",)
    search_fields = ("code", "name")
    list_select_related = ("institution", "gateway")
    readonly_fields = ("gateway",)


@admin.register(System)
class SystemAdmin(CmdbAdmin):
    list_display = ("code", "name", "institution")
    search_fields = ("code", "name")
    list_select_related = ("institution",)


@admin.register(Server)
class ServerAdmin(CmdbAdmin):
    list_display = ("hostname", "system", "site", "role", "address", "redundancy_group", "gateway", "is_active")
    list_filter = ("role", "is_active", "site__tier")
    search_fields = ("hostname", "address")
    list_select_related = ("system", "site__gateway")

    @admin.display(description=_("gateway"))
    def gateway(self, obj: Server) -> str:
        return str(obj.site.gateway or "")


@admin.register(Database)
class DatabaseAdmin(CmdbAdmin):
    list_display = ("name", "server", "dialect", "database", "host", "credential", "is_active")
    list_filter = ("dialect", "is_active")
    search_fields = ("name", "database", "server__hostname")
    list_select_related = ("server", "credential")


@admin.register(EnvironmentProfile)
class EnvironmentProfileAdmin(CmdbAdmin):
    list_display = ("name", "institution", "revision", "middleware")
    list_select_related = ("institution",)
    readonly_fields = ("revision",)

    def save_model(self, request: HttpRequest, obj: EnvironmentProfile, form: Any, change: bool) -> None:
        save_profile(actor=caller(request), profile=obj)


@admin.register(Balancer)
class BalancerAdmin(CmdbAdmin):
    list_display = ("name", "profile", "kind", "server", "control", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("name", "control", "server__hostname")
    list_select_related = ("profile", "server")


@admin.register(Gateway)
class GatewayAdmin(ReadOnlyAdmin):
    """Kept on its own pages of the portal; its keys are not shown."""

    list_display = ("code", "name", "institution", "state", "seen_at", "version", "backlog")
    fields = ("institution", "code", "name", "state", "when_away", "away_seconds", "seen_at", "seen_from", "version")
    list_select_related = ("institution",)


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    """Who logs in where; the sealed secret is not shown, not even sealed."""

    list_display = ("name", "institution", "kind", "username", "revision", "changed_at")
    fields = ("institution", "name", "kind", "username", "revision", "key_id", "changed_at")
    list_select_related = ("institution",)
