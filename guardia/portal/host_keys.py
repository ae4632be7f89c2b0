"""The host keys of servers: which are pinned, what a server shows when it is asked, and a person's word on it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import caller
from accounts.choices import Role
from accounts.scope import where_holding
from cmdb.models import Server
from execution.choices import ScanStatus
from execution.gate.host_keys import ask_host_keys, decide_host_key, fingerprint_of
from execution.models import HostKeyScan
from guardia.common.errors import GuardiaError

_PAGE = 50
_DIGITS = 10  # of a row's number, fewer than


class KeyDecisionForm(forms.Form):
    comparison = forms.CharField(max_length=2000, required=False)
    decision = forms.ChoiceField(choices=[("accept", ""), ("refuse", "")])


@login_required
@require_safe
def host_keys(request: HttpRequest) -> HttpResponse:
    """Servers that one operates: those with something to decide first, then those without a key."""
    servers = _operated(request)
    if not servers.exists():
        raise PermissionDenied
    q = request.GET.get("q", "").strip()[:80]
    if q:
        servers = servers.filter(Q(hostname__icontains=q) | Q(system__name__icontains=q) | Q(address__startswith=q))
    scans = HostKeyScan.objects.select_related("asked_by").order_by("-pk")
    to_decide = HostKeyScan.objects.filter(server=OuterRef("pk"), status=ScanStatus.SHOWN)
    servers = (
        servers.select_related("system__institution")
        .prefetch_related(Prefetch("key_scans", scans[:1], to_attr="latest_scan"))
        .order_by(Exists(to_decide).desc(), "host_keys__len", "hostname")
    )
    page = Paginator(servers, _PAGE).get_page(request.GET.get("page"))
    rows = [_row(server) for server in page.object_list]
    context = {"place": "host-keys", "rows": rows, "page": page, "q": q}
    return render(request, "portal/host_keys.html", context)


@login_required
@require_POST
def ask_keys(request: HttpRequest) -> HttpResponse:
    """Ask the chosen servers for their host keys."""
    chosen = [int(pk) for pk in request.POST.getlist("server") if pk.isdecimal() and len(pk) < _DIGITS]
    try:
        scans = ask_host_keys(actor=caller(request), server_pks=chosen)
    except GuardiaError as error:
        return _refused(request, str(error), error.http_status)
    words = ngettext("%(count)s server is being asked.", "%(count)s servers are being asked.", len(scans))
    messages.success(request, words % {"count": len(scans)})
    return redirect("portal:host-keys")


@login_required
@require_POST
def decide_key(request: HttpRequest, scan_pk: int) -> HttpResponse:
    """Pin what a server has shown, or refuse it."""
    form = KeyDecisionForm(request.POST)
    if not form.is_valid():
        return _refused(request, _("The form was not complete."), 400)
    is_accepted = form.cleaned_data["decision"] == "accept"
    try:
        decide_host_key(
            actor=caller(request),
            scan_pk=scan_pk,
            is_accepted=is_accepted,
            comparison=form.cleaned_data["comparison"],
        )
    except GuardiaError as error:
        return _refused(request, str(error), error.http_status)
    messages.success(request, _("The host key is pinned.") if is_accepted else _("The host key was refused."))
    return redirect("portal:host-keys")


def _operated(request: HttpRequest) -> QuerySet[Server]:
    return where_holding(Server.objects.filter(is_active=True), caller(request), [Role.OPERATOR])


def _row(server: Server) -> dict[str, Any]:
    scan = next(iter(server.latest_scan), None)  # type: ignore[attr-defined]  # prefetched
    open_scan = scan if scan is not None and scan.status in (ScanStatus.WAITING, ScanStatus.SHOWN) else None
    return {
        "server": server,
        "pinned": [(line.split()[0], fingerprint_of(line)) for line in server.host_keys],
        "scan": scan,
        "open": open_scan,
        "kind": open_scan.offered.partition(" ")[0] if open_scan is not None else "",
        "is_same": open_scan is not None and open_scan.offered in server.host_keys,
        "is_changed": open_scan is not None and bool(server.host_keys) and open_scan.offered not in server.host_keys,
    }


def _refused(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    return render(request, "portal/refused.html", {"reason": reason, "back": "/servers/keys/"}, status=status)
