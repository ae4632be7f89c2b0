from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ReadOnlyAdmin
from accounts.admin_columns import chip_column, moment_column
from execution.halts.who import halts_visible_to
from execution.models import (
    Halt,
    Healing,
    HostKeyScan,
    HostLock,
    HostRun,
    Plan,
    Playbook,
    PlaybookChoice,
    Run,
    ServerFacts,
)
from execution.words import drift_label, fact_label


@admin.register(Playbook)
class PlaybookAdmin(ReadOnlyAdmin):
    """Playbooks belong to no institution."""

    list_display = ("name", "version", "sub_type", "published_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Playbook.objects.all()


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    list_display = ("task", "playbook", "digest", moment_column("created_at", _("time")))
    list_select_related = ("task", "playbook")
    search_fields = ("=task__task_id", "=digest")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "task",
        chip_column("status", _("status")),
        "reason",
        moment_column("started_at", _("started")),
        moment_column("finished_at", _("finished")),
    )
    list_filter = ("status",)
    list_select_related = ("task",)
    search_fields = ("=task__task_id",)


@admin.register(HostRun)
class HostRunAdmin(ReadOnlyAdmin):
    list_display = (
        "server",
        "wave",
        chip_column("status", _("status")),
        "error_code",
        moment_column("started_at", _("started")),
        moment_column("finished_at", _("finished")),
    )
    list_filter = ("status",)
    list_select_related = ("server", "wave__run__task")
    fields = ("server", "wave", "status", "error_code", "error", "saved", "started_at", "finished_at")
    search_fields = ("server__hostname", "=wave__run__task__task_id")


@admin.register(Halt)
class HaltAdmin(ReadOnlyAdmin):
    """Pressed and lifted on the kill switch's own page; what stops everything is shown to everybody."""

    list_display = (
        "scope",
        "target",
        "reason",
        "halted_as",
        moment_column("halted_at", _("halted")),
        "lifted_as",
        moment_column("lifted_at", _("lifted")),
    )
    list_filter = ("scope",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return halts_visible_to(request.user)  # type: ignore[arg-type]  # the base user of stubs


@admin.register(HostKeyScan)
class HostKeyScanAdmin(ReadOnlyAdmin):
    list_display = ("server", chip_column("status", _("status")), "fingerprint", "asked_by", "decided_by", "asked_at")
    list_filter = ("status",)
    list_select_related = ("server", "asked_by", "decided_by")
    search_fields = ("server__hostname", "=fingerprint")


@admin.register(HostLock)
class HostLockAdmin(ReadOnlyAdmin):
    list_display = ("server", "run", "taken_at")
    list_select_related = ("server", "run__task")


@admin.register(PlaybookChoice)
class PlaybookChoiceAdmin(ReadOnlyAdmin):
    """Chosen on a playbook's page, or by `manage.py playbooks choose`; without a row the newest version serves."""

    list_display = ("system", "sub_type", "playbook", "former", moment_column("changed_at", _("changed")))
    list_filter = ("sub_type",)
    list_select_related = ("system", "playbook", "former")
    search_fields = ("system__name", "=system__code", "=playbook__name")


@admin.register(Healing)
class HealingAdmin(ReadOnlyAdmin):
    list_display = ("server", "check_run", "task", "reason", moment_column("created_at", _("time")))
    list_select_related = ("server", "check_run__task", "task")
    search_fields = ("server__hostname", "=task__task_id", "=check_run__task__task_id")


@admin.register(ServerFacts)
class ServerFactsAdmin(ReadOnlyAdmin):
    """What servers were like when a run last looked, and how they differ from their profiles."""

    list_display = ("server", "shown_drift", moment_column("seen_at", _("seen")))
    list_select_related = ("server",)
    search_fields = ("server__hostname",)
    fields = ("server", "seen_at", "profile_revision", "shown_facts", "shown_drift", "shown_adapted")
    readonly_fields = fields

    @admin.display(description=_("facts"))
    def shown_facts(self, facts: ServerFacts) -> SafeString | str:
        return _lines([*facts.named.items(), *((path, kind) for path, kind in facts.paths.items())])

    @admin.display(description=_("differences"))
    def shown_drift(self, facts: ServerFacts) -> SafeString | str:
        found = [(one, f"{one['expected']} → {one['found'] or '–'}") for one in facts.drift]
        return _lines([(one["fact"], f"{told} ({drift_label(one['then'])})") for one, told in found])

    @admin.display(description=_("taken over"))
    def shown_adapted(self, facts: ServerFacts) -> SafeString | str:
        return _lines(list(facts.adapted.items()))


def _lines(pairs: list[tuple[str, str]]) -> SafeString | str:
    return format_html_join("", "<div>{}: {}</div>", ((fact_label(name), value) for name, value in pairs)) or "–"
