"""Windows, holidays, freezes and access ranges: edited here through their services, never deleted."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ReadOnlyAdmin
from accounts.caller import caller
from accounts.choices import Role
from accounts.scope import where_holding
from audit.admin_base import WrittenAdmin
from governance.models import AccessRange, ChangeWindow, ExtraHoliday, Freeze, FreezeException
from governance.services.save_access_range import save_access_range
from governance.services.save_hours import save_extra_holiday, save_freeze, save_window


class ServiceAdmin(WrittenAdmin):
    """Rows that keepers change through one service. What holds for all institutions is shown to everybody."""

    service: Callable[..., Any]
    row_name = ""
    keepers: tuple[Role, ...] = (Role.OPERATOR, Role.ADMINISTRATOR)
    list_select_related: ClassVar[Any] = ("institution",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        everything: QuerySet[Any] = self.model._default_manager.all()
        return everything.filter(Q(pk__in=super().get_queryset(request).values("pk")) | Q(institution=None))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or self._kept(type(obj)._default_manager.filter(pk=obj.pk), request).exists()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._kept(db_field.remote_field.model._default_manager.all(), request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        type(self).service(actor=caller(request), **{self.row_name: obj})

    def _kept(self, queryset: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        return where_holding(queryset, caller(request), self.keepers)


class WindowForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=_("weekdays"), choices=list(WEEKDAYS.items()), coerce=int, widget=forms.CheckboxSelectMultiple
    )


@admin.register(ChangeWindow)
class ChangeWindowAdmin(ServiceAdmin):
    service, row_name = staticmethod(save_window), "window"
    form = WindowForm
    list_display = ("name", "institution", "system", "tier", "hours", "on_holidays", "is_active")
    list_filter = ("is_active", "on_holidays")
    list_select_related = ("institution", "system")
    search_fields = ("name", "institution__name", "system__name")
    fields = ("name", "institution", "system", "tier", "weekdays", "starts_at", "ends_at", "on_holidays", "is_active")

    @admin.display(description=_("hours"))
    def hours(self, window: ChangeWindow) -> str:
        return window.hours_text()


@admin.register(ExtraHoliday)
class ExtraHolidayAdmin(ServiceAdmin):
    service, row_name = staticmethod(save_extra_holiday), "holiday"
    list_display = ("day", "name", "institution")


@admin.register(Freeze)
class FreezeAdmin(ServiceAdmin):
    """Once announced, a freeze is changed by administrators alone."""

    service, row_name = staticmethod(save_freeze), "freeze"
    list_display = ("name", "institution", "system", "tier", "starts_at", "ends_at")
    list_select_related = ("institution", "system")
    search_fields = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        if obj is None:
            return True
        rows = Freeze.objects.filter(pk=obj.pk)
        return where_holding(rows, caller(request), (Role.ADMINISTRATOR,)).exists()


@admin.register(AccessRange)
class AccessRangeAdmin(ServiceAdmin):
    service, row_name = staticmethod(save_access_range), "access_range"
    keepers = (Role.ADMINISTRATOR,)
    list_display = ("label", "cidr", "institution", "is_active")


@admin.register(FreezeException)
class FreezeExceptionAdmin(ReadOnlyAdmin):
    """Asked for and decided on the task's page."""

    list_display = ("task", "freeze", "requested_by", "status", "decided_by", "decided_at")
    list_filter = ("status",)
    list_select_related = ("task", "freeze", "requested_by", "decided_by")
    search_fields = ("=task__task_id",)
