from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import chip_column, moment_column
from governance import admin_hours  # noqa: F401 - registers its pages
from governance.models import ApprovalPolicy, ApprovalStep, PolicyStep, ResultReview, StandingApproval, SystemOwner


@admin.register(SystemOwner)
class SystemOwnerAdmin(ReadOnlyAdmin):
    list_display = ("system", "owner", "deputy", "supervisor", "sla_minutes", "is_active")
    list_select_related = ("system", "owner", "deputy", "supervisor")
    search_fields = ("system__name", "system__code")


class PolicyStepInline(admin.TabularInline):
    model = PolicyStep
    extra = 0
    can_delete = False
    max_num = 0
    fields = readonly_fields = ("order", "role", "approvers_needed", "needs_reauthentication", "is_automatic")


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(ReadOnlyAdmin):
    """Policies belong to no institution: everybody who works in the admin may read them."""

    list_display = ("name", "category", "sub_type", "risk", "tier")
    inlines = (PolicyStepInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return ApprovalPolicy.objects.all()


@admin.register(StandingApproval)
class StandingApprovalAdmin(ReadOnlyAdmin):
    list_display = ("system", "sub_type", "role", "giver", "valid_until", "uses_allowed", "period_days", "revoked_at")
    list_filter = ("sub_type", "role")
    list_select_related = ("system", "giver")
    search_fields = ("system__name", "system__code")


@admin.register(ApprovalStep)
class ApprovalStepAdmin(ReadOnlyAdmin):
    list_display = (
        "round",
        "order",
        "role",
        "approver",
        chip_column("status", _("status")),
        "decided_by",
        moment_column("decided_at", _("decided at")),
    )
    list_filter = ("status", "role")
    list_select_related = ("round__task", "approver", "decided_by")
    search_fields = ("=round__task__task_id",)


@admin.register(ResultReview)
class ResultReviewAdmin(ReadOnlyAdmin):
    list_display = ("task", "reviewer", "is_accepted", "created_at")
    list_select_related = ("task", "reviewer")
