"""A version tried against servers before anybody relies on it: every command, what the command check says of it, and
what differs from the version that serves these servers now. Nothing is connected to, nothing is kept."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.scope import visible_to
from cmdb.models import Server
from execution.plan.build import planned_servers
from execution.plan.dry_run import beside_what_serves, dry_run, dry_steps
from execution.playbooks.params import Param
from execution.playbooks.schema import Definition
from execution.reason_words import reason_label
from guardia.common.errors import GuardiaError, InvalidInput
from guardia.portal.param_forms import PREFIX, ParamForm
from tickets.models import Artefact
from tickets.selectors import tasks_visible_to

_HOSTS, _CHANGES = 20, 20


class TrialForm(ParamForm):
    """Servers and parameters; for work that needs a file, a request whose file is taken."""

    def __init__(self, data: Any = None, *, params: tuple[Param, ...], needs: tuple[str, ...]) -> None:
        super().__init__(data, params=params, is_hosted=True)
        if set(needs) - {"database"}:
            self.fields["task"] = forms.CharField(
                label=_("File of a request"),
                max_length=32,
                help_text=_("This work needs a file: the number of a request that brought one, OPS-…"),
            )


class TextTrialForm(forms.Form):
    """The same for a text that isn't published: its parameters aren't known before it is read."""

    host = forms.CharField(
        label=_("Servers"), max_length=2000, required=False, help_text=_("Names, divided by commas.")
    )
    given = forms.CharField(
        label=_("Parameters"),
        max_length=8000,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text=_("“name=value”, one per line; a name again adds a line to its value."),
    )
    task = forms.CharField(
        label=_("File of a request"), max_length=32, required=False, help_text=_("Where the work needs a file.")
    )


def form_of(definition: Definition, typed: TextTrialForm) -> TrialForm:
    """What was typed, in the form that the text's own parameters make."""
    data = {"host": typed.cleaned_data["host"], "task": typed.cleaned_data["task"]}
    for line in typed.cleaned_data["given"].splitlines():
        name, _equals, value = line.partition("=")
        key = PREFIX + name.strip()
        data[key] = f"{data[key]}\n{value}" if key in data else value
    return TrialForm(data, params=definition.params, needs=definition.needs)


def tried(user: User, definition: Definition, form: TrialForm) -> dict[str, Any]:
    """What a page shows of it, for servers that the user sees; a refusal stands at the form."""
    nothing: dict[str, Any] = {"hosts": [], "compared": []}
    if not form.is_bound or not form.is_valid():
        return nothing
    names = form.cleaned_data["host"].replace(",", " ").split()[:_HOSTS]
    few = Server.objects.filter(hostname__in=names).select_related("site", "system")
    servers = planned_servers(visible_to(few, user))
    try:
        artefact = _file_of(user, form.cleaned_data.get("task", ""))
        document = dry_run(definition, servers, form.given(), artefact)
    except GuardiaError as error:
        form.add_error(None, str(error))
        return nothing
    hosts = [
        _host(name, number, document["hosts"][name])
        for number, wave in enumerate(document["waves"], start=1)
        for name in wave
    ]
    compared = [
        {"beside": row, "changes": row.changes[:_CHANGES], "left": len(row.changes[_CHANGES:])}
        for row in beside_what_serves(definition, servers, form.given(), artefact)
    ]
    return {"hosts": hosts, "compared": compared}


def _host(name: str, wave: int, host: dict[str, Any]) -> dict[str, Any]:
    """`found`: what takes one more approval; what would be blocked is no plan at all."""
    found = [{**one, "words": reason_label(one["reason"])} for one in host["check"]["found"]]
    return {"hostname": name, "wave": wave, "steps": dry_steps(host), "found": found}


def _file_of(user: User, task_id: str) -> Artefact | None:
    """Raises InvalidInput."""
    if not task_id.strip():
        return None
    rows = Artefact.objects.filter(task__in=tasks_visible_to(user).filter(task_id=task_id.strip().upper()))
    row = rows.order_by("-pk").first() if "\0" not in task_id else None
    if row is None:
        raise InvalidInput(_now("There is no such request that brought a file."))
    return row
