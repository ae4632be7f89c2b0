"""Checkpoints and verifications in the admin: what is sealed, and what was found."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import moment_column
from accounts.caller import caller
from accounts.scope import sees_everything
from audit.admin_base import refused
from audit.checkpoint_keys import first_key
from audit.fault_words import fault_words, kind_words
from audit.models import Checkpoint, Verification, Witness
from audit.proofs import key_history
from audit.roles import is_reader
from audit.seal import read_line
from audit.services.make_checkpoint import make_checkpoint
from guardia.common.chips import chip
from guardia.common.errors import GuardiaError
from guardia.common.queue import enqueue
from guardia.common.signing import is_signed


class _OfAll(ReadOnlyAdmin):
    """About all institutions at once: for those who see every one of them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows if sees_everything(caller(request)) else rows.none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and sees_everything(caller(request))

    has_module_permission = has_view_permission


@admin.register(Checkpoint)
class CheckpointAdmin(_OfAll):
    list_display = (
        "number",
        moment_column("made_at", _("time")),
        "occasion",
        "entries",
        "key_id",
        "digest_short",
        "seal",
    )
    change_list_template = "audit/checkpoint_list.html"

    def get_urls(self) -> list[URLPattern]:
        make = self.admin_site.admin_view(require_POST(self.make))
        return [path("make/", make, name="audit_checkpoint_make"), *super().get_urls()]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Each shown signature is checked against the key that was in force."""
        listed, keys = super().get_changelist_instance(request), key_history(first_key())
        for row in listed.result_list:
            sealed = read_line(row.line)
            key = [key["public_key"] for key in keys if key["from"] <= row.number][-1]
            row.holds = sealed is not None and bool(key) and is_signed(key, sealed.signed_bytes(), sealed.signature)
        return listed

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {
            "witnesses": list(Witness.objects.all()),
            "last": Checkpoint.objects.order_by("number").last(),
            "verification": Verification.objects.first(),
            "may_make": self._may_make(request),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def make(self, request: HttpRequest) -> HttpResponse:
        if not self._may_make(request):
            raise PermissionDenied
        try:
            made = make_checkpoint(reason="asked", actor=caller(request))
        except GuardiaError as refusal:
            return refused(request, refusal)
        with transaction.atomic():
            enqueue("audit.tasks.checkpoint")
        messages.success(request, _now("Checkpoint %(number)s was signed.") % {"number": made.number})
        return redirect("admin:audit_checkpoint_changelist")

    def _may_make(self, request: HttpRequest) -> bool:
        user = caller(request)
        return self.has_view_permission(request) and is_reader(user, None)

    @admin.display(description=_("occasion"))
    def occasion(self, row: Checkpoint) -> str:
        return str(_OCCASIONS.get(row.reason, row.reason))

    @admin.display(description=_("digest"))
    def digest_short(self, row: Checkpoint) -> str:
        return f"{row.digest[:12]}…"

    @admin.display(description=_("signature"))
    def seal(self, row: Checkpoint) -> str:
        return chip("INTACT", _("Valid")) if getattr(row, "holds", False) else chip("BROKEN", _("Not valid"))


_OCCASIONS = {
    "first": _("the first"),
    "time": _("an hour has passed"),
    "count": _("many new entries"),
    "asked": _("asked for"),
    "rotation": _("new key"),
}


@admin.register(Verification)
class VerificationAdmin(_OfAll):
    list_display = (
        moment_column("finished_at", _("finished")),
        "mode",
        "actor",
        "entries",
        "checkpoints",
        "state",
    )
    fields = ("mode", "actor", "started_at", "finished_at", "entries", "checkpoints", "is_intact", "found")

    @admin.display(description=_("result"))
    def state(self, row: Verification) -> str:
        return chip("INTACT", _("Intact")) if row.is_intact else chip("BROKEN", _("Broken"))

    @admin.display(description=_("What is wrong"))
    def found(self, row: Verification) -> str:
        """Each chain's first bad entry, a line each; what was found is kept in English."""
        lines = [
            (fault["chain"], fault["number"], kind_words(fault["kind"]), fault_words(fault["detail"]))
            for fault in row.faults
        ]
        return format_html_join(format_html("<br>"), "{} · {}: {} – {}", lines) or "–"
