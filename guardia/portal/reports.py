"""Reports: which were ordered, ordering one, its progress, its file, and what people say about an access review."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import caller
from accounts.models import User
from accounts.who import who_hold
from audit.choices import ReportFormat, ReportKind, ReportState
from audit.models import Entry, Report
from audit.reports.access_review import why_it_stands_out, why_words
from audit.reports.answer import file_answer
from audit.reports.entries import Reader
from audit.roles import READERS
from audit.selectors import institutions_to_report, may_report, readable_reports, visible_report
from audit.services.order_report import order_report, retry_report
from audit.services.review_report import explain_entry, may_confirm, sign_off_review
from audit.services.take_report import take_report
from guardia.common.errors import GuardiaError, NotVisible
from guardia.portal.acts import act_and_return
from guardia.portal.forms import ReasonForm
from guardia.portal.report_forms import EntryForm, ReportForm

_PER_PAGE = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report_list(request: HttpRequest) -> HttpResponse:
    """Those of the reader's institutions (GET); order one (POST)."""
    user = caller(request)
    if not (may_report(user, None) or institutions_to_report(user).exists()):
        return _not_for(request, user)
    form = ReportForm(request.POST or None, user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        given |= {"kind": ReportKind(given["kind"]), "format": ReportFormat(given["format"])}
        try:
            report = order_report(actor=user, language=get_language() or "ko", **given)
        except GuardiaError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The report is ordered. You are told when it is ready."))
            return redirect("portal:report", report.pk)
    found = Paginator(readable_reports(user), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"place": "reports", "page": found, "form": form}
    return render(request, "portal/reports.html", context, status=400 if form.errors else 200)


def of_a_report(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Finds the report; 404 for one that is not the reader's to know."""

    def found_first(request: HttpRequest, report_pk: int) -> HttpResponseBase:
        try:
            return view(request, visible_report(caller(request), report_pk))
        except NotVisible as error:
            raise Http404 from error

    return login_required(found_first)


@of_a_report
@require_safe
def report(request: HttpRequest, found: Report) -> HttpResponse:
    """One report: how far it is, its digest, its file, and for a review what stands out."""
    user = caller(request)
    if not may_report(user, found.institution):
        return _not_for(request, user)
    context = {"place": "reports", "report": found, "path": f"/reports/{found.pk}/"}
    if found.is_review and found.state == ReportState.READY:
        context |= _review(request, user, found)
    return render(request, "portal/report.html", context)


@of_a_report
@require_POST
def download(request: HttpRequest, found: Report) -> HttpResponseBase:
    """The file; a POST with a reason, because the chain notes who took it and why."""
    form = ReasonForm(request.POST)
    try:
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        taken, file = take_report(actor=caller(request), report_pk=found.pk, reason=reason)
    except GuardiaError as error:
        back = {"reason": str(error), "back": f"/reports/{found.pk}/"}
        return render(request, "portal/refused.html", back, status=error.http_status)
    return file_answer(taken, file)


@of_a_report
@require_POST
def retry(request: HttpRequest, found: Report) -> HttpResponse:
    """Again, after it failed or was deleted."""
    return _act(request, found, _("It is made again."), retry_report)


@of_a_report
@require_POST
def explain(request: HttpRequest, found: Report) -> HttpResponse:
    """An explanation of one entry."""
    form = EntryForm(request.POST)
    if not form.is_valid():
        back = {"reason": _("The form was not complete."), "back": f"/reports/{found.pk}/"}
        return render(request, "portal/refused.html", back, status=400)
    return _act(request, found, _("The explanation is kept."), explain_entry, **form.cleaned_data)


@of_a_report
@require_POST
def sign_off(request: HttpRequest, found: Report) -> HttpResponse:
    """The confirmation of a review by a second person."""
    form = ReasonForm(request.POST)
    finding = form.cleaned_data["reason"] if form.is_valid() else ""
    done = _("Confirmed. The review is made again with the explanations and your confirmation.")
    return _act(request, found, done, sign_off_review, finding=finding)


def _act(request: HttpRequest, found: Report, done: str, service: Callable[..., Any], **given: Any) -> HttpResponse:
    act = {"actor": caller(request), "report_pk": found.pk, **given}
    return act_and_return(request, f"/reports/{found.pk}/", done, lambda: service(**act))


def _review(request: HttpRequest, user: User, found: Report) -> dict[str, Any]:
    explained = {one.entry_id: one for one in found.explanations.select_related("written_by")}
    page = Paginator(sorted({*found.standing_out, *explained}), _PER_PAGE).get_page(request.GET.get("page"))
    entries = Entry.objects.select_related("chain").in_bulk(list(page.object_list))
    shown = [entry for _pk, entry in sorted(entries.items())]
    rows = [
        {
            "told": told,
            "at": entry.recorded_at,
            "why": why_words(why_it_stands_out(entry.action, entry.recorded_at)),
            "explanation": explained.get(entry.pk),
        }
        for entry, told in zip(shown, Reader(user).read(shown), strict=True)
    ]
    return {
        "rows": rows,
        "page": page,
        "is_open": found.signed_by_id is None,
        "may_confirm": may_confirm(user, found),
        "explained": len(explained.keys() & set(found.standing_out)),
    }


def _not_for(request: HttpRequest, user: User) -> HttpResponse:
    own = next((held.institution_id for held in user.memberships.all() if held.institution_id), None)
    names = who_hold(READERS, own, but={user.pk})
    reason = _("Auditors, security officers and administrators make and read reports: %(names)s.") % {"names": names}
    return render(request, "portal/refused.html", {"reason": reason, "back": "/"}, status=403)
