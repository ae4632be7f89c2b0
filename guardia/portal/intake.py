"""The form of a new request: the text alone, or a kind of work with the fields of its playbook."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.caller import caller
from cmdb.selectors import systems_visible_to
from execution.plan.build import newest_for
from execution.playbooks.params import Param
from execution.playbooks.schema import parse_playbook
from guardia.common.errors import GuardiaError
from guardia.portal.forms import TaskForm
from guardia.portal.param_forms import ParamForm
from tickets.choices import Category, Channel, SubType
from tickets.parsing.result import CATEGORY_OF
from tickets.services.file_task import checked_text, file_task
from tickets.understanding import Understood, understand


class PlaceForm(forms.Form):
    """Where the work is done, named outright."""

    system = forms.ChoiceField(label=gettext_lazy("System"))
    servers = forms.CharField(
        label=gettext_lazy("Servers"), max_length=4000, help_text=gettext_lazy("Names, divided by commas.")
    )

    def __init__(self, data: Any, user: Any, initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=dict(initial))
        rows = systems_visible_to(user).values_list("code", "name")
        self.fields["system"].choices = [("", "–"), *rows]  # type: ignore[attr-defined]  # a field with choices, as declared above


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_task(request: HttpRequest) -> HttpResponse:
    """File a request; with `kind`, by the fields of that kind's playbook. `read` fills them in from the text first."""
    data = request.POST if request.method == "POST" else None
    kind = (data or request.GET).get("kind", "")
    form = TaskForm(data, request.FILES or None, initial={"key": uuid4().hex})
    known: dict[str, Any] = {}
    if data is not None and "read" in data:
        kind, known, form = _read(request, form)
        data = None
    params = _params_of(kind)
    fields = ParamForm(data if params is not None else None, params=params or (), known=known.get("params"))
    place = PlaceForm(data if params is not None else None, request.user, known.get("place", {}))
    parts = [form, fields, place] if params is not None else [form]
    valid = [part.is_valid() for part in parts]  # of each, so that all errors are shown at once
    if data is not None and all(valid):
        try:
            task = file_task(actor=caller(request), **_wish(form, kind, fields, place, is_named=params is not None))
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(task)s was filed.") % {"task": task.task_id})
            return redirect("portal:task", task.task_id)
    context = {
        "place": "new",
        "form": form,
        "fields": fields,
        "where": place,
        "kind": kind if params is not None else "",
        "kinds": _kinds(),
        "artefact_limit": settings.GUARDIA_ARTEFACT_LIMIT,
    }
    has_errors = any(part.is_bound and part.errors for part in parts)
    return render(request, "portal/new_task.html", context, status=400 if has_errors else 200)


def _wish(form: TaskForm, kind: str, fields: ParamForm, place: PlaceForm, *, is_named: bool) -> dict[str, Any]:
    wish: dict[str, Any] = {
        "text": form.cleaned_data["text"],
        "channel": Channel.PORTAL,
        "artefact": form.cleaned_data["artefact"],
        "key": form.cleaned_data["key"],
    }
    if is_named:
        names = place.cleaned_data["servers"].replace(",", " ").split()
        wish |= {"sub_type": kind, "params": fields.given(), "system_code": place.cleaned_data["system"]}
        wish["hostnames"] = list(dict.fromkeys(names))
    return wish


def _read(request: HttpRequest, form: TaskForm) -> tuple[str, dict[str, Any], TaskForm]:
    """What the parser makes of the text: the kind, the values of its fields, where. Nothing is filed."""
    kind, text = request.POST.get("kind", ""), request.POST.get("text", "")
    fresh = TaskForm(initial={"text": text, "key": request.POST.get("key", "")})
    try:
        understood = understand(actor=caller(request), text=checked_text(text), has_artefact=False)
    except GuardiaError as error:
        messages.warning(request, str(error))
        return kind, {}, fresh
    kind = understood.parsed.sub_type or kind
    return kind, {"params": _known(_params_of(kind) or (), understood), "place": _place(understood)}, fresh


def _known(params: tuple[Param, ...], understood: Understood) -> dict[str, Any]:
    given = understood.parsed.params
    found = {param.name: given.get(param.name, given.get(param.source)) for param in params}
    return {name: value for name, value in found.items() if value is not None}


def _place(understood: Understood) -> dict[str, str]:
    return {
        "system": understood.system.code if understood.system else "",
        "servers": ", ".join(server.hostname for server in understood.servers),
    }


def _params_of(kind: str) -> tuple[Param, ...] | None:
    """The parameters of the kind's newest playbook; None where there is no such kind or no playbook."""
    playbook = newest_for(kind) if kind in SubType.values else None
    return parse_playbook(playbook.source).params if playbook is not None else None


def _kinds() -> list[tuple[Any, list[tuple[str, Any]]]]:
    return [
        (category.label, [(kind.value, kind.label) for kind in SubType if CATEGORY_OF[kind.value] == category])
        for category in Category
    ]
