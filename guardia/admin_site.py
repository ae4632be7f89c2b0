"""The admin as Guardia's desk: one site of our own, in the one house style."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class GuardiaAdminConfig(AdminConfig):
    default_site = "guardia.admin_site.GuardiaAdminSite"


class GuardiaAdminSite(admin.AdminSite):
    site_header = _("Guardia operations")
    site_title = "Guardia"
    index_title = _("Desk")
    index_template = "admin/desk.html"
    enable_nav_sidebar = True

    #: The order of the desk: what people come for first.
    _ORDER = ("tickets", "governance", "execution", "cmdb", "audit", "notifications", "accounts")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        order = {label: place for place, label in enumerate(self._ORDER)}
        return sorted(apps, key=lambda app: order.get(app["app_label"], len(order)))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from guardia.desk import desk_context

        return super().index(request, {**(extra_context or {}), **desk_context(request)})
