"""The chain and its entries in the admin: read only, scoped by chain; administrators' looks are entries themselves."""

import json
import tempfile
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import moment_column
from accounts.admin_filters import ScopedRelatedFilter
from accounts.caller import caller
from accounts.choices import Role
from accounts.scope import sees_everything
from audit import admin_holds as admin_holds  # registers its page
from audit import admin_keys as admin_keys  # registers its page
from audit import admin_seals as admin_seals  # registers its pages
from audit.act_words import act_words
from audit.admin_base import refused
from audit.admin_security import SecurityFilter
from audit.chain import SEED_FIELDS
from audit.checkpoint_keys import first_key
from audit.choices import Mode
from audit.exceptions import ReasonNeeded
from audit.models import Chain, Entry
from audit.proofs import proof_of
from audit.reading import Part, told_to
from audit.selectors import chains_visible_to, entries_found, entries_visible_to, holds_visible_to
from audit.services.export import export_chains, may_export
from audit.services.record import record
from audit.services.verify import verify
from guardia.common.errors import GuardiaError


@admin.register(Chain)
class ChainAdmin(ReadOnlyAdmin):
    list_display = ("key", "head_number", "head_hash")
    fields = ("key", "head_number", "head_hash", "is_closed")
    change_list_template = "audit/chain_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return chains_visible_to(caller(request))

    def get_urls(self) -> list[URLPattern]:
        verify_view = self.admin_site.admin_view(require_POST(self.verify))
        export_view = self.admin_site.admin_view(require_POST(self.export))
        return [
            path("verify/", verify_view, name="audit_chain_verify"),
            path("export/", export_view, name="audit_chain_export"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"may_export": may_export(caller(request)), "holds": list(holds_visible_to(caller(request))[:5])}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def verify(self, request: HttpRequest) -> HttpResponse:
        """Recompute every chain the reader may see, and show the first bad entry of each broken one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = caller(request)
        chains = None if sees_everything(user) else chains_visible_to(user)
        report = verify(mode=Mode.FULL, actor=user, chains=chains).report
        context = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name_plural,
            "reports": report.chains,
            "checkpoints": report.checkpoints,
            "checkpoint_faults": [fault for fault in report.faults if fault not in [row.fault for row in report]],
            "is_intact": report.is_intact,
            "opts": self.opts,
        }
        return TemplateResponse(request, "audit/verification.html", context)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The chains that the reader may take along, for `tools/verify_audit.py`."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        try:
            export_chains(actor=caller(request), reason=request.POST.get("reason", ""), out=file)
        except GuardiaError as refusal:
            file.close()
            return refused(request, refusal)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename="chain.jsonl", content_type="application/jsonl")


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "chain", moment_column("recorded_at", _("time")), "who", "act", "task_id")
    list_filter = (SecurityFilter, ("chain", ScopedRelatedFilter))
    search_fields = ("actor",)  # shows the field; `get_search_results` searches
    search_help_text = _("A login, a task's number or an action such as approval.approved; several narrow it down.")
    list_select_related = ("chain",)
    change_form_template = "audit/entry.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return entries_visible_to(caller(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return entries_found(queryset, search_term), False

    def get_urls(self) -> list[URLPattern]:
        proof = self.admin_site.admin_view(require_POST(self.proof))
        return [path("<path:object_id>/proof/", proof, name="audit_entry_proof"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        self._record_look(request, None)
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        entry = self.get_object(request, object_id)
        if entry is not None:
            self._record_look(request, entry)
            broken = holds_visible_to(caller(request)).filter(
                chain=entry.chain.key, number__lte=entry.number, until__gte=entry.number
            )
            [told] = told_to(caller(request), [entry])
            shown = {"hold": broken.first(), "is_entry": True, "told": _lines_of(told.body), "part": told.part}
            extra_context = {**(extra_context or {}), **shown, "is_open": told.part in (Part.NONE, Part.OPEN)}
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description=_("actor"))
    def who(self, entry: Entry) -> str:
        """With everything else that they did."""
        return format_html('<a href="?{}">{}</a>', urlencode({"q": entry.actor}), entry.actor)

    @admin.display(description=_("action"))
    def act(self, entry: Entry) -> str:
        return format_html('<span title="{}">{}</span>', entry.action, act_words(entry.action))

    @transaction.atomic
    def _record_look(self, request: HttpRequest, entry: Entry | None) -> None:
        """Administrators' looks into the chain are entries themselves."""
        user = caller(request)
        if not user.is_superuser and not user.memberships.filter(role=Role.ADMINISTRATOR).exists():
            return
        query = request.GET.urlencode()[:500]
        record(action="chain.viewed", actor=user, institution=None, subject=entry, query=query)

    def proof(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The entry with its Merkle paths and the signed checkpoints, as a file; with a reason."""
        entry, reason = self.get_object(request, object_id), request.POST.get("reason", "").strip()
        if entry is None:
            raise Http404
        try:
            if not reason:
                raise ReasonNeeded
            document = proof_of(entry, first_key())
        except GuardiaError as refusal:
            return refused(request, refusal, "../change/")
        with transaction.atomic():
            facts = {"chain": entry.chain.key, "number": entry.number}
            record(
                action="proof.downloaded",
                actor=caller(request),
                institution=None,
                subject=entry,
                summary=reason,
                **facts,
            )
        response = HttpResponse(json.dumps(document, ensure_ascii=False), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="proof-{entry.pk}.json"'
        return response


def _lines_of(body: dict[str, Any]) -> list[tuple[str, str]]:
    """What an entry tells in words: the fields that its columns don't show, and its facts."""
    names = ("object", "summary", "source_ip", "channel", "run_id", *SEED_FIELDS)
    lines = {**{name: body.get(name) for name in names}, **body["facts"]}
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in lines.items()
        if value not in ("", None, [])
    ]
