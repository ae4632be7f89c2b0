"""Being away: one's own absences, and the end of one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import caller
from governance.selectors_authority import administered, deputies_for
from governance.services.absences import end_absence, plan_absence
from guardia.common.errors import GuardiaError
from guardia.portal.acts import act_and_return
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
    return act_and_return(
        request,
        back,
        _("The absence has ended."),
        lambda: end_absence(actor=caller(request), absence_pk=absence_pk, reason=words),
    )
