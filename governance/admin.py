import tempfile
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.dateparse import parse_datetime
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import chip_column, moment_column
from accounts.caller import caller
from governance import admin_hours  # noqa: F401 - registers its pages
from governance.models import (
    Absence,
    ApprovalPolicy,
    ApprovalStep,
    ChangeReview,
    Evidence,
    ManualRecord,
    PolicyStep,
    ResultReview,
    StandingApproval,
    StepQuestion,
    SystemOwner,
    Takeover,
)
from governance.selectors_authority import absences_visible_to
from governance.services.export_reworks import export_reworks
from guardia.common.errors import GuardiaError


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
        "escalation_level",
        moment_column("due_at", _("due")),
        chip_column("status", _("status")),
        "decided_by",
        moment_column("decided_at", _("decided at")),
    )
    list_filter = ("status", "role")
    ordering = ("-pk",)
    list_select_related = ("round__task", "approver", "decided_by")
    search_fields = ("=round__task__task_id",)


@admin.register(ResultReview)
class ResultReviewAdmin(ReadOnlyAdmin):
    list_display = ("task", "reviewer", chip_column("decision", _("decision")), "created_at")
    list_select_related = ("task", "reviewer")


@admin.register(Takeover)
class TakeoverAdmin(ReadOnlyAdmin):
    list_display = ("task", "person", "reason", moment_column("taken_at", _("time")))
    list_select_related = ("task", "person")
    search_fields = ("=task__task_id",)


class EvidenceInline(admin.TabularInline):
    model = Evidence
    extra = 0
    can_delete = False
    max_num = 0
    fields = readonly_fields = ("name", "size", "sha256")


@admin.register(ManualRecord)
class ManualRecordAdmin(ReadOnlyAdmin):
    list_display = ("task", "author", moment_column("done_at", _("done at")), moment_column("created_at", _("time")))
    list_select_related = ("task", "author")
    search_fields = ("=task__task_id",)
    inlines = (EvidenceInline,)


@admin.register(ChangeReview)
class ChangeReviewAdmin(ReadOnlyAdmin):
    list_display = (
        "task",
        "revision",
        "submitted_by",
        chip_column("decision", _("decision")),
        "reviewer",
        moment_column("reviewed_at", _("reviewed")),
    )
    list_filter = ("decision",)
    list_select_related = ("task", "reviewer")
    search_fields = ("=task__task_id",)
    change_list_template = "governance/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(require_POST(self.export))
        return [path("export/", export, name="governance_changereview_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Every rework that the reader may take along, as JSON Lines; the chain keeps the file's digest."""
        since = parse_datetime(request.POST.get("since", "").strip() + "T00:00:00")
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        try:
            export_reworks(actor=caller(request), out=file, since=make_aware(since) if since else None)
        except GuardiaError as refusal:
            file.close()
            context = {"reason": str(refusal), "back": ".."}
            return render(request, "portal/refused.html", context, status=refusal.http_status)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename="reworks.jsonl", content_type="application/jsonl")


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
        return absences_visible_to(request.user)  # type: ignore[arg-type]  # the stubs know Django's own user alone


@admin.register(StepQuestion)
class StepQuestionAdmin(ReadOnlyAdmin):
    list_display = ("step", "asker", "question", "answer", moment_column("answered_at", _("answered at")))
    list_select_related = ("step__round__task", "asker")
    search_fields = ("=step__round__task__task_id",)
