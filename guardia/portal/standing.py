"""Who would be asked for work on a system today, and what was approved for it beforehand."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import caller
from cmdb.choices import Tier
from cmdb.models import System
from cmdb.selectors import systems_visible_to
from governance.choices import StepRole
from governance.models import StandingApproval
from governance.preview import people_of, preview_of, tiers_of
from governance.services.standing_approvals import give_standing_approval, may_revoke_all, revoke_standing_approval
from guardia.portal.acts import act_and_return
from guardia.portal.policy_forms import StandingForm


@login_required
@require_safe
def preview(request: HttpRequest, system_pk: int) -> HttpResponse:
    """For each kind of work on the system: who would be asked, in what order. `tier` chooses among its servers'."""
    system = _system_or_404(request, system_pk)
    return render(request, "portal/preview.html", _context(request, system, StandingForm()))


@login_required
@require_POST
def give(request: HttpRequest, system_pk: int) -> HttpResponse:
    """Approve a kind of work on the system beforehand."""
    system = _system_or_404(request, system_pk)
    form = StandingForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/preview.html", _context(request, system, form), status=400)
    return _act(
        request,
        system,
        _("The pre-approval is given."),
        lambda: give_standing_approval(actor=caller(request), system_pk=system.pk, **form.extent()),
    )


@login_required
@require_POST
def revoke(request: HttpRequest, system_pk: int, standing_pk: int) -> HttpResponse:
    """End a standing pre-approval of this system."""
    system = _system_or_404(request, system_pk)
    if not StandingApproval.objects.filter(pk=standing_pk, system=system).exists():
        raise Http404
    return _act(
        request,
        system,
        _("The pre-approval is revoked."),
        lambda: revoke_standing_approval(actor=caller(request), pk=standing_pk),
    )


def _act(request: HttpRequest, system: System, done: str, act: Callable[[], Any]) -> HttpResponse:
    return act_and_return(request, reverse("portal:preview", args=[system.pk]), done, act)


def _system_or_404(request: HttpRequest, system_pk: int) -> System:
    system = systems_visible_to(request.user).filter(pk=system_pk).first()
    if system is None:
        raise Http404
    return system


def _context(request: HttpRequest, system: System, form: StandingForm) -> dict[str, Any]:
    user, tiers = caller(request), tiers_of(system)
    chosen = next((tier for tier, _count in tiers if str(tier.value) == request.GET.get("tier")), None)
    tier = chosen or (tiers[0][0] if tiers else None)
    people = people_of(system)
    is_officer = may_revoke_all(user, system.institution_id)
    rows = StandingApproval.objects.filter(system=system, revoked_at=None).select_related("giver", "system")[:20]
    return {
        "place": "policies",
        "system": system,
        "tiers": tiers,
        "tier": tier,
        "is_critical": tier == Tier.CRITICAL,
        "groups": preview_of(system, tier, people),
        "standing": [(row, is_officer or row.giver_id == user.pk) for row in rows],
        "roles": [role for role in StepRole if user in people[role]],
        "form": form,
    }
