from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import chip_column, moment_column
from governance.models import (
    Absence,
    ApprovalPolicy,
    ApprovalStep,
    PolicyStep,
    ResultReview,
    StepQuestion,
    SystemOwner,
)
from governance.selectors_authority import absences_visible_to


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
    fields = readonly_fields = ("order", "role")


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(ReadOnlyAdmin):
    """Policies belong to no institution: everybody who works in the admin may read them."""

    list_display = ("name", "category", "sub_type", "risk", "tier")
    inlines = (PolicyStepInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return ApprovalPolicy.objects.all()


@admin.register(ApprovalStep)
class ApprovalStepAdmin(ReadOnlyAdmin):
    list_display = (
        "round",
        "order",
        "role",
        "approver",
        "escalation_level",
        moment_column("due_at", _("due")),
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


@admin.register(Absence)
class AbsenceAdmin(ReadOnlyAdmin):
    """Who is away until when, of the people one works with. Why is their own affair and isn't shown."""

    list_display = (
        "user",
        "deputy",
        moment_column("starts_at", _("from")),
        moment_column("ends_at", _("until")),
        moment_column("ended_at", _("ended early")),
        "set_by",
    )
    fields = ("user", "deputy", "starts_at", "ends_at", "ended_at", "set_by", "created_at")
    list_select_related = ("user", "deputy", "set_by")
    search_fields = ("user__username", "user__display_name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return absences_visible_to(request.user)  # type: ignore[arg-type]


@admin.register(StepQuestion)
class StepQuestionAdmin(ReadOnlyAdmin):
    list_display = ("step", "asker", "question", "answer", moment_column("answered_at", _("answered at")))
    list_select_related = ("step__round__task", "asker")
    search_fields = ("=step__round__task__task_id",)
