"""Gateways: which there are and how they stand, and the administrators' acts on one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import caller
from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role
from cmdb.models import Gateway, Site
from execution.gateways import keeping
from execution.gateways.giving import open_orders
from execution.gateways.selectors import gateways_visible_to
from execution.gateways.take_back import runs_waiting_for, take_back_servers
from governance.selectors_authority import administered
from guardia.common.errors import GuardiaError, InvalidInput
from guardia.portal.acts import act_and_return
from guardia.portal.administration import administers_all, refusal_for
from guardia.portal.forms import ReasonForm
from guardia.portal.gateway_forms import FingerprintForm, GatewayForm, PolicyForm, SitesForm, TakeBackForm

_PER_PAGE = 20
_HOSTS_SHOWN = 20


@login_required
@require_safe
def gateway_list(request: HttpRequest) -> HttpResponse:
    """Those of the reader's institutions."""
    user = caller(request)
    found = gateways_visible_to(user)
    context = {
        "place": "gateways",
        "page": Paginator(found, _PER_PAGE).get_page(request.GET.get("page")),
        "may_add": administered(user).exists() or administers_all(user),
    }
    return render(request, "portal/gateways.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_gateway(request: HttpRequest) -> HttpResponse:
    """Add one; its one-time code is shown in the answer, and never again."""
    if refusal := refusal_for(request):
        return refusal
    form = GatewayForm(request.POST or None, caller(request))
    if request.method == "POST" and form.is_valid():
        try:
            gateway, code = keeping.add_gateway(actor=caller(request), **form.cleaned_data)
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            return _code_page(request, gateway, code)
    context = {"place": "gateways", "form": form}
    return render(request, "portal/gateway_new.html", context, status=400 if form.errors else 200)


def of_a_gateway(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Finds the gateway; 404 for one that is not the reader's to know."""

    @wraps(view)
    def found_first(request: HttpRequest, gateway_pk: int) -> HttpResponse:
        found = gateways_visible_to(caller(request)).filter(pk=gateway_pk).first()
        if found is None:
            raise Http404
        return view(request, found)

    return login_required(found_first)


@of_a_gateway
@require_safe
def gateway(request: HttpRequest, found: Gateway) -> HttpResponse:
    """One gateway: its state, its sites, what it holds, and what can be done with it."""
    orders = open_orders(found)
    context = {
        "place": "gateways",
        "gateway": found,
        "sites": SitesForm.words_of(found),
        "orders": orders[:_HOSTS_SHOWN],
        "waiting": runs_waiting_for(found),
        "may": _administers(caller(request), found),
        "policy": PolicyForm({"when_away": found.when_away, "away_seconds": found.away_seconds}),
    }
    return render(request, "portal/gateway.html", context)


@of_a_gateway
@require_POST
def renew_code(request: HttpRequest, found: Gateway) -> HttpResponse:
    """Another one-time code."""
    try:
        renewed, code = keeping.renew_code(actor=caller(request), gateway_pk=found.pk)
    except GuardiaError as error:
        context = {"reason": str(error), "back": f"/gateways/{found.pk}/"}
        return render(request, "portal/refused.html", context, status=error.http_status)
    return _code_page(request, renewed, code)


@of_a_gateway
@require_POST
def confirm(request: HttpRequest, found: Gateway) -> HttpResponse:
    """Into service, with the fingerprint from its console."""
    form = FingerprintForm(request.POST)
    seen = form.cleaned_data["seen"] if form.is_valid() else ""
    return _act(request, found, _("The gateway is in service."), keeping.confirm_gateway, seen=seen)


@of_a_gateway
@require_POST
def set_sites(request: HttpRequest, found: Gateway) -> HttpResponse:
    """Which sites it reaches, by their codes."""
    form = SitesForm(request.POST)
    codes = set(form.cleaned_data["codes"].split()) if form.is_valid() else {""}
    sites = dict(Site.objects.filter(institution=found.institution, code__in=codes).values_list("code", "pk"))

    def assign(**given: Any) -> None:
        if unknown := sorted(codes - sites.keys()):
            raise InvalidInput(_("No sites of this institution: %(codes)s.") % {"codes": ", ".join(unknown[:10])})
        keeping.set_gateway_sites(**given)

    return _act(request, found, _("The sites are set."), assign, site_pks=list(sites.values()))


@of_a_gateway
@require_POST
def set_policy(request: HttpRequest, found: Gateway) -> HttpResponse:
    """What it does alone."""
    form = PolicyForm(request.POST)
    if not form.is_valid():
        context = {"reason": _("The form was not complete."), "back": f"/gateways/{found.pk}/"}
        return render(request, "portal/refused.html", context, status=400)
    return _act(request, found, _("It hears of it at its next visit."), keeping.set_gateway_policy, **form.cleaned_data)


@of_a_gateway
@require_POST
def take_back(request: HttpRequest, found: Gateway) -> HttpResponse:
    """The servers of one run."""
    form = TakeBackForm(request.POST)
    given = form.cleaned_data if form.is_valid() else {"task_id": "", "reason": ""}
    done = _("Taken back. People have to look at those servers.")
    return _act(request, found, done, take_back_servers, **given)


@of_a_gateway
@require_POST
def revoke(request: HttpRequest, found: Gateway) -> HttpResponse:
    """For good."""
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    done = _("Revoked. Change the credentials that it was given: its entries and those of its orders name them.")
    return _act(request, found, done, keeping.revoke_gateway, reason=reason)


def _act(request: HttpRequest, found: Gateway, done: str, service: Callable[..., Any], **given: Any) -> HttpResponse:
    act = {"actor": caller(request), "gateway_pk": found.pk, **given}
    return act_and_return(request, f"/gateways/{found.pk}/", done, lambda: service(**act))


def _administers(user: User, found: Gateway) -> bool:
    return user.is_superuser or holds_role(user, Role.ADMINISTRATOR, found.institution_id)


def _code_page(request: HttpRequest, made: Gateway, code: str) -> HttpResponse:
    address = f"{request.scheme}://{request.get_host()}"
    context = {"place": "gateways", "gateway": made, "code": code, "address": address}
    return render(request, "portal/gateway_code.html", context)
