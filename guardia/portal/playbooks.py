"""The pages of playbooks: what can be done, how it has done so far, a trial, and publishing for operators."""

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
from execution.models import Playbook
from execution.plan.rollout_words import strategy_words
from execution.playbooks.history import newest_playbooks, records_by_name, records_by_version, runs_of
from execution.playbooks.lines import SIZE_LIMIT
from execution.playbooks.params import in_language
from execution.playbooks.publish import may_publish, publish_playbook
from execution.playbooks.schema import parse_playbook
from guardia.common.errors import GuardiaError
from guardia.portal.playbook_choices import served_systems
from guardia.portal.playbook_trials import TextTrialForm, TrialForm, form_of, tried

_RUNS_SHOWN = 20


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
    given = request.GET if "host" in request.GET else None
    form = TrialForm(given, params=definition.params, needs=definition.needs)
    context = {
        "place": "playbooks",
        "playbook": playbook,
        "definition": definition,
        "strategy": strategy_words(definition.strategy),
        "label": _label(playbook),
        "versions": [(row, records.get(row.version)) for row in versions],
        "runs": list(runs_of(request.user, playbook)[:_RUNS_SHOWN]),
        "form": form,
        **tried(caller(request), definition, form),
        "may_publish": may_publish(caller(request)),
        **served_systems(request, playbook),
    }
    return render(request, "portal/playbook.html", context, status=400 if form.errors else 200)


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
    """Check a text, try it against servers, or publish it as a version. For those who may; to others there is no such
    page."""
    actor = caller(request)
    if not may_publish(actor):
        raise Http404
    start = Playbook.objects.filter(name=request.GET.get("from", "")).order_by("-version").first()
    form = PublishForm(request.POST or None, request.FILES or None, initial={"source": start.source if start else ""})
    typed, shown = TextTrialForm(request.POST or None), dict[str, Any]()
    if request.method == "POST" and form.is_valid() and typed.is_valid():
        try:
            if "check" in request.POST or "try" in request.POST:
                definition = parse_playbook(form.cleaned_data["source"])
                if "try" in request.POST:
                    trial = form_of(definition, typed)
                    shown = tried(actor, definition, trial)
                    for error in (words for errors in trial.errors.values() for words in errors):
                        typed.add_error(None, str(error))
                else:
                    messages.success(request, _("The playbook is good. Nothing was published."))
            else:
                playbook = publish_playbook(actor=actor, source=form.cleaned_data["source"])
                messages.success(request, _("%(playbook)s was published.") % {"playbook": playbook})
                return redirect("portal:playbook-version", playbook.name, playbook.version)
        except GuardiaError as error:
            form.add_error("source", str(error))
    context = {"place": "playbooks", "form": form, "typed": typed, **shown}
    is_bad = form.errors or typed.errors
    return render(request, "portal/playbook_form.html", context, status=400 if is_bad else 200)


def _label(playbook: Playbook) -> str:
    return in_language(parse_playbook(playbook.source).label) or str(playbook.get_sub_type_display())
