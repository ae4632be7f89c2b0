"""Who answers for what: for administrators, with the next step for each system whose people need attention."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import caller
from accounts.choices import Authority
from accounts.models import Institution, Membership, User
from accounts.scope import visible_to
from cmdb.models import System
from cmdb.selectors import systems_visible_to
from governance.models import Absence, SystemOwner
from governance.selectors_authority import (
    DECIDING_ROLES,
    absences_visible_to,
    administered,
    deciders_in,
    stale_mappings,
)
from governance.services.absences import plan_absence_for
from governance.services.name_owner import name_owner
from governance.services.set_authority import set_authority
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from guardia.portal.acts import act_and_return
from guardia.portal.administration import administers_all, for_administrators, refusal_for
from guardia.portal.forms import AbsenceForm
from guardia.portal.people_forms import OwnerForm
from guardia.portal.views import searched_words

_SHOWN = 50
_PER_PAGE = 15
_FORM = ["GET", "HEAD", "POST"]


@for_administrators
@require_http_methods(_FORM)
def authority(request: HttpRequest) -> HttpResponse:
    """Systems and their people, who decides and who looks on, who is away, and the emergency entry of an absence."""
    admin = caller(request)
    institutions = administered(admin)
    people = User.objects.filter(memberships__institution__in=institutions, is_active=True).distinct()
    form = AbsenceForm(request.POST or None, deputies=people, users=people.exclude(pk=admin.pk))
    if request.method == "POST" and form.is_valid():
        try:
            plan_absence_for(actor=admin, **form.cleaned_data)
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The absence was entered and the person told."))
            return redirect("portal:authority")
    words = searched_words(request)
    roles = _roles(admin, institutions, words)
    stale = stale_mappings(institutions)
    context: dict[str, Any] = {
        "place": "authority",
        "form": form,
        "q": words,
        "stale": stale[:_SHOWN],
        "stale_count": len(stale),
        "away": _open_absences(admin, people),
        "page": Paginator(_systems(institutions, words), _PER_PAGE).get_page(request.GET.get("page")),
        "roles": list(roles[:_PER_PAGE]),
        "roles_count": roles.count(),
    }
    return render(request, "portal/authority.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(_FORM)
def owners(request: HttpRequest, system_pk: int) -> HttpResponse:
    """Say who answers for a system, who after them, and how long each has."""
    system = systems_visible_to(caller(request)).select_related("institution").filter(pk=system_pk).first()
    if system is None:
        raise Http404
    if refusal := refusal_for(request):
        return refusal
    row = SystemOwner.objects.filter(system=system).first()
    able = deciders_in(system.institution)
    form = OwnerForm(request.POST or None, able=able, row=row)
    if request.method == "POST" and form.is_valid():
        try:
            name_owner(actor=caller(request), system=system, **form.cleaned_data)
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("It is recorded who answers for %(system)s.") % {"system": system})
            return redirect("portal:authority")
    context = {"place": "authority", "form": form, "system": system, "has_people": able.exists()}
    return render(request, "portal/owners.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def set_act(request: HttpRequest, membership_pk: int) -> HttpResponse:
    """Make a role's holder an approver or a viewer."""
    membership = visible_to(Membership.objects.all(), caller(request)).filter(pk=membership_pk).first()
    given = request.POST.get("authority", "")
    if membership is None or given not in Authority.values:
        raise Http404
    return act_and_return(
        request,
        f"/people/{membership.user_id}/" if request.POST.get("next") == "person" else "/authority/#deciders",
        _("The authority was changed."),
        lambda: set_authority(actor=caller(request), membership_pk=membership_pk, authority=Authority(given)),
    )


def _systems(institutions: QuerySet[Institution], words: str) -> QuerySet[System]:
    systems = System.objects.filter(institution__in=institutions).select_related(
        "institution", "ownership__owner", "ownership__deputy", "ownership__supervisor"
    )
    if words:
        systems = systems.filter(Q(name__icontains=words) | Q(code__icontains=words))
    return systems.order_by("institution__code", "code")


def _roles(admin: User, institutions: QuerySet[Institution], words: str) -> QuerySet[Membership]:
    """Roles that decide, of others, where the administrator may change them."""
    here = Q(institution__in=institutions)
    if administers_all(admin):
        here |= Q(institution=None)
    roles = Membership.objects.filter(here, role__in=DECIDING_ROLES, user__is_active=True).exclude(user=admin)
    if words:
        roles = roles.filter(Q(user__display_name__icontains=words) | Q(user__username__icontains=words))
    return roles.select_related("user", "institution").order_by("user__display_name", "pk")


def _open_absences(admin: User, people: QuerySet[User]) -> list[Absence]:
    open_ones = absences_visible_to(admin).filter(ended_at=None, ends_at__gt=now(), user__in=people)
    return list(open_ones.order_by("starts_at")[:_SHOWN])
