"""Being away, and who answers for what: one's own absences, and the administrators' look at the people of systems."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import caller
from accounts.models import User
from governance.models import Absence
from governance.selectors_authority import absences_visible_to, administered, deputies_for, stale_mappings
from governance.services.absences import end_absence, plan_absence, plan_absence_for
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from guardia.portal.forms import AbsenceForm, WordsForm

_SHOWN = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_absences(request: HttpRequest) -> HttpResponse:
    """My absences, and the form for the next one."""
    user = caller(request)
    form = AbsenceForm(request.POST or None, deputies=deputies_for(user))
    if request.method == "POST" and form.is_valid():
        try:
            plan_absence(actor=user, **form.cleaned_data)
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Your absence was entered."))
            return redirect("portal:absence")
    rows = list(user.absences.select_related("deputy", "set_by")[:_SHOWN])
    context = {"place": "absence", "form": form, "rows": rows, "may_administer": administered(user).exists()}
    return render(request, "portal/absence.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def end_act(request: HttpRequest, absence_pk: int) -> HttpResponse:
    """End an absence early."""
    form = WordsForm(request.POST)
    words = form.cleaned_data["words"] if form.is_valid() else ""
    back = "/authority/" if request.POST.get("next") == "/authority/" else "/absence/"
    try:
        end_absence(actor=caller(request), absence_pk=absence_pk, reason=words)
    except GuardiaError as error:
        context = {"reason": str(error), "back": back}
        return render(request, "portal/refused.html", context, status=error.http_status)
    messages.success(request, _("The absence has ended."))
    return redirect(back)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def authority(request: HttpRequest) -> HttpResponse:
    """For administrators: systems whose people need attention, who is away, and the emergency entry of an absence."""
    admin = caller(request)
    institutions = administered(admin)
    if not institutions.exists():
        raise PermissionDenied
    people = _people_of(institutions)
    form = AbsenceForm(request.POST or None, deputies=people, users=people.exclude(pk=admin.pk))
    if request.method == "POST" and form.is_valid():
        try:
            plan_absence_for(actor=admin, **form.cleaned_data)
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The absence was entered and the person told."))
            return redirect("portal:authority")
    context: dict[str, Any] = {
        "place": "authority",
        "form": form,
        "stale": stale_mappings(institutions),
        "away": _open_absences(admin, people),
    }
    return render(request, "portal/authority.html", context, status=400 if form.errors else 200)


def _people_of(institutions: Any) -> QuerySet[User]:
    return User.objects.filter(memberships__institution__in=institutions, is_active=True).distinct()


def _open_absences(admin: User, people: QuerySet[User]) -> list[Absence]:
    open_ones = absences_visible_to(admin).filter(ended_at=None, ends_at__gt=now(), user__in=people)
    return list(open_ones.order_by("starts_at")[:_SHOWN])
