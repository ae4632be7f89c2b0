"""Which version of a playbook serves which system: the list on a playbook's page, and choosing."""

from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.caller import caller
from cmdb.models import System
from cmdb.selectors import systems_visible_to
from execution.models import Playbook, PlaybookChoice
from execution.plan.build import newest_for
from execution.playbooks.choose import choose_playbook, may_choose
from guardia.portal.acts import act_and_return
from guardia.portal.views import searched_words

_PER_PAGE = 10


class Served(NamedTuple):
    """`choice` is None where the newest version serves, whichever that is."""

    system: System
    playbook: Playbook | None
    choice: PlaybookChoice | None
    may_choose: bool


def served_systems(request: HttpRequest, playbook: Playbook) -> dict[str, Any]:
    """The user's systems, by name or code with `q`, each with what serves this kind of work there."""
    systems, words = systems_visible_to(request.user).order_by("institution__code", "code"), searched_words(request)
    if words:
        systems = systems.filter(Q(name__icontains=words) | Q(code__icontains=words))
    page = Paginator(systems, _PER_PAGE).get_page(request.GET.get("page"))
    choices = PlaybookChoice.objects.filter(system__in=list(page), sub_type=playbook.sub_type)
    chosen = {choice.system_id: choice for choice in choices.select_related("playbook", "former")}
    newest, user = newest_for(playbook.sub_type), caller(request)
    rows = []
    for system in page:
        choice = chosen.get(system.pk)
        rows.append(Served(system, choice.playbook if choice else newest, choice, may_choose(user, system)))
    return {"page": page, "q": words, "served": rows}


@login_required
@require_POST
def choose(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """Let `playbook` (a version by its key; empty: the newest, whichever that is) serve `system`."""
    shown = get_object_or_404(Playbook, name=name, version=version)
    system = _found(systems_visible_to(caller(request)), request.POST.get("system", ""))
    given = request.POST.get("playbook", "")
    playbook = _found(Playbook.objects.filter(sub_type=shown.sub_type), given) if given else shown
    done = _("%(system)s: %(playbook)s serves from now on.") if given else _("%(system)s: the newest version serves.")
    return act_and_return(
        request,
        f"{reverse('portal:playbook-version', args=[name, version])}#systems",
        done % {"system": system, "playbook": playbook},
        lambda: choose_playbook(actor=caller(request), system=system, playbook=playbook, is_newest=not given),
    )


def _found(rows: Any, key: str) -> Any:
    row = rows.filter(pk=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    if row is None:
        raise Http404
    return row
