"""The pages of playbooks: what can be done, how it has done so far, a dry run, and publishing for operators."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import caller
from accounts.scope import visible_to
from cmdb.models import Server
from execution.models import Playbook
from execution.plan.dry_run import dry_run, dry_steps
from execution.plan.rollout_words import strategy_words
from execution.playbooks.history import newest_playbooks, records_by_name, records_by_version, runs_of
from execution.playbooks.lines import SIZE_LIMIT
from execution.playbooks.params import in_language
from execution.playbooks.publish import may_publish, publish_playbook
from execution.playbooks.schema import parse_playbook
from guardia.common.errors import GuardiaError
from guardia.portal.param_forms import ParamForm
from guardia.portal.playbook_choices import served_systems

_RUNS_SHOWN = 20
_HOSTS_TRIED = 20


class PublishForm(forms.Form):
    source = forms.CharField(
        label="YAML",
        max_length=SIZE_LIMIT,
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono", "spellcheck": "false"}),
    )
    file = forms.FileField(label=gettext_lazy("or a file"), required=False)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("file"):
            data["source"] = data["file"].read(SIZE_LIMIT * 4).decode("utf-8", "replace")
        return data


@login_required
@require_safe
def playbook_list(request: HttpRequest) -> HttpResponse:
    """The newest version of each, with how its runs went for the user's institutions."""
    records = records_by_name(request.user)
    rows = [(playbook, _label(playbook), records.get(playbook.name)) for playbook in newest_playbooks()]
    context = {"place": "playbooks", "rows": rows, "may_publish": may_publish(caller(request))}
    return render(request, "portal/playbooks.html", context)


@login_required
@require_safe
def playbook_page(request: HttpRequest, name: str, version: int | None = None) -> HttpResponse:
    """One version: its text, parameters and steps, other versions, the systems, its runs; with `host`, a dry run."""
    versions = list(Playbook.objects.filter(name=name).order_by("-version"))
    playbook = next((row for row in versions if version in (None, row.version)), None)
    if playbook is None:
        raise Http404
    definition = parse_playbook(playbook.source)
    records = records_by_version(request.user, name)
    tried = ParamForm(request.GET if "host" in request.GET else None, params=definition.params, is_hosted=True)
    context = {
        "place": "playbooks",
        "playbook": playbook,
        "definition": definition,
        "strategy": strategy_words(definition.strategy),
        "label": _label(playbook),
        "versions": [(row, records.get(row.version)) for row in versions],
        "runs": list(runs_of(request.user, playbook)[:_RUNS_SHOWN]),
        "form": tried,
        "hosts": _tried(request, definition, tried),
        "may_publish": may_publish(caller(request)),
        **served_systems(request, playbook),
    }
    return render(request, "portal/playbook.html", context, status=400 if tried.errors else 200)


@login_required
@require_safe
def playbook_source(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """The very text that was published: `sha256sum` of the download is its digest."""
    playbook = get_object_or_404(Playbook, name=name, version=version)
    response = HttpResponse(playbook.source.encode(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-v{version}.yaml"'
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    """Check a text, or publish it as a version. For those who may; to others the page isn't there."""
    actor = caller(request)
    if not may_publish(actor):
        raise Http404
    start = Playbook.objects.filter(name=request.GET.get("from", "")).order_by("-version").first()
    form = PublishForm(request.POST or None, request.FILES or None, initial={"source": start.source if start else ""})
    if request.method == "POST" and form.is_valid():
        try:
            if "check" in request.POST:
                parse_playbook(form.cleaned_data["source"])
                messages.success(request, _("The playbook is good. Nothing was published."))
            else:
                playbook = publish_playbook(actor=actor, source=form.cleaned_data["source"])
                messages.success(request, _("%(playbook)s was published.") % {"playbook": playbook})
                return redirect("portal:playbook-version", playbook.name, playbook.version)
        except GuardiaError as error:
            form.add_error("source", str(error))
    context = {"place": "playbooks", "form": form}
    return render(request, "portal/playbook_form.html", context, status=400 if form.errors else 200)


def _label(playbook: Playbook) -> str:
    return in_language(parse_playbook(playbook.source).label) or str(playbook.get_sub_type_display())


def _tried(request: HttpRequest, definition: Any, form: ParamForm) -> list[dict[str, Any]]:
    """The commands for the named hosts of the user's own; a refusal stands at the form."""
    if not form.is_bound or not form.is_valid():
        return []
    names = form.cleaned_data["host"].replace(",", " ").split()[:_HOSTS_TRIED]
    servers = visible_to(Server.objects.filter(hostname__in=names), request.user)
    try:
        document = dry_run(definition, servers, form.given())
    except GuardiaError as error:
        form.add_error(None, str(error))
        return []
    return [
        {"hostname": name, "wave": number, "steps": dry_steps(document["hosts"][name])}
        for number, wave in enumerate(document["waves"], start=1)
        for name in wave
    ]
