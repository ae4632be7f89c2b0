"""The queue and the blackout calendar: reads, scoped to the user."""

from datetime import date, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Institution
from accounts.scope import visible_to
from cmdb.models import Server, System
from governance.choices import WEEKDAY_NAMES
from governance.selectors_windows import HoursBook, Place
from guardia.common.clock import local_day
from guardia.common.paging import CappedPaginator
from guardia.month import DAY_STATES, month_of, span_of
from guardia.waiting import queue_of, waits_of
from tickets.selectors import tasks_visible_to

_PER_PAGE = 20


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits to be carried out in my institutions: in which order, from when, and for what."""
    page = CappedPaginator(queue_of(tasks_visible_to(request.user)), _PER_PAGE).get_page(request.GET.get("page"))
    tasks = list(page.object_list)
    waits = waits_of(tasks)
    first = page.start_index()
    rows = [(first + number, task, waits.get(task.pk)) for number, task in enumerate(tasks)]
    return render(request, "portal/queue.html", {"place": "queue", "page": page, "rows": rows})


@login_required
@require_safe
def blackout_calendar(request: HttpRequest) -> HttpResponse:
    """A month of open, closed and frozen days, for one of my institutions or one of its systems (`of`)."""
    institutions = list(visible_to(Institution.objects.all(), request.user))
    systems = list(visible_to(System.objects.select_related("institution"), request.user))
    chosen = request.GET.get("of", "")
    system = next((row for row in systems if f"s{row.pk}" == chosen), None)
    institution = system.institution if system else next((row for row in institutions if f"i{row.pk}" == chosen), None)
    institution = institution or next(iter(institutions), None)
    first = _month(request.GET.get("month", ""))
    context = {
        "place": "calendar",
        "first": first,
        "before": first - timedelta(days=1),
        "after": span_of(first).end.date(),
        "today": local_day(),
        "institutions": [(row, [s for s in systems if s.institution_id == row.pk]) for row in institutions],
        "institution": institution,
        "system": system,
        "weekdays": [WEEKDAY_NAMES[6], *WEEKDAY_NAMES[:6]],
        "states": DAY_STATES.items(),
    }
    if institution is not None:
        tiers = Server.objects.filter(system=system).values_list("site__tier", flat=True) if system else []
        place = Place(institution.pk, system.pk if system else None, frozenset(tiers))
        span = span_of(first)
        book = HoursBook([institution.pk], span.start)
        hours = book.hours_at(place)
        context |= {
            "weeks": month_of(first, hours),
            "windows": book.windows_at(place),
            "freezes": [row for row in hours.freezes if row.starts_at < span.end],
        }
    return render(request, "portal/calendar.html", context)


def _month(text: str) -> date:
    """The first of the month asked for as YYYY-MM; of this month, where that is none."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return local_day().replace(day=1)
    return first if 2000 <= first.year < 2100 else local_day().replace(day=1)
