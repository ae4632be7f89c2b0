"""The pages of approval policies: read by all, proposed by officers, decided by another officer."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import caller
from cmdb.selectors import systems_visible_to
from governance.choices import ChangeStatus
from governance.models import ApprovalPolicy, PolicyChange
from governance.policy_documents import document_of
from governance.selectors import is_policy_officer
from governance.services.change_policy import decide_policy_change, propose_policy_change, withdraw_policy_change
from guardia.common.errors import GuardiaError
from guardia.portal.policy_forms import PolicyForm
from guardia.portal.views import searched_words

_SHOWN = 50


@login_required
@require_safe
def policy_list(request: HttpRequest) -> HttpResponse:
    """All policies with their steps, and the way to each of the user's systems (`q` narrows these down)."""
    words = searched_words(request)
    systems = systems_visible_to(request.user)
    if words:
        systems = systems.filter(name__icontains=words) | systems.filter(code__icontains=words)
    is_officer = is_policy_officer(request.user)
    context = {
        "place": "policies",
        "policies": list(
            ApprovalPolicy.objects.prefetch_related("steps").order_by("sub_type", "category", "risk", "pk")
        ),
        "systems": list(systems[:_SHOWN]),
        "q": words,
        "is_officer": is_officer,
        "open_count": PolicyChange.objects.filter(status=ChangeStatus.OPEN).count() if is_officer else 0,
    }
    return render(request, "portal/policies.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, policy_pk: int | None = None) -> HttpResponse:
    """Propose a new policy, or the change or the end of one."""
    if not is_policy_officer(request.user):
        raise Http404
    policy = get_object_or_404(ApprovalPolicy, pk=policy_pk) if policy_pk is not None else None
    initial = PolicyForm.initial_of(document_of(policy)) if policy else {}
    form = PolicyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        after = None if policy and "remove" in request.POST else form.document()
        try:
            propose_policy_change(
                actor=caller(request), policy_pk=policy_pk, after=after, reason=form.cleaned_data["reason"]
            )
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The change was proposed. Another officer decides on it."))
            return redirect("portal:policy-changes")
    context = {"place": "policies", "form": form, "policy": policy}
    return render(request, "portal/policy_form.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def change_list(request: HttpRequest) -> HttpResponse:
    """Open proposals, each as before and after, and the last decided ones. For officers."""
    if not is_policy_officer(request.user):
        raise Http404
    changes = PolicyChange.objects.select_related("proposer", "decided_by")
    context = {
        "place": "policies",
        "open": list(changes.filter(status=ChangeStatus.OPEN)[:_SHOWN]),
        "decided": list(changes.exclude(status=ChangeStatus.OPEN)[:20]),
    }
    return render(request, "portal/policy_changes.html", context)


@login_required
@require_POST
def decide_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept, refuse or withdraw a proposal."""
    if not is_policy_officer(request.user):
        raise Http404
    actor, decision = caller(request), request.POST.get("decision", "")
    comment = request.POST.get("comment", "")[:2000]
    try:
        if decision == "withdraw":
            withdraw_policy_change(actor=actor, pk=pk)
        elif decision in ("accept", "refuse"):
            decide_policy_change(actor=actor, pk=pk, is_accepted=decision == "accept", comment=comment)
        else:
            return _refused(request, _("The form was not complete."), 400)
    except GuardiaError as error:
        return _refused(request, str(error), error.http_status)
    messages.success(request, _("Your decision was recorded."))
    return redirect("portal:policy-changes")


def _refused(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    context: dict[str, Any] = {"reason": reason, "back": "/policies/changes/"}
    return render(request, "portal/refused.html", context, status=status)
