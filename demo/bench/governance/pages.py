"""The pages as people open them: through Django's own handler and every middleware, each by many different users."""

import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import User
from governance.choices import StepStatus
from governance.models import ApprovalStep
from tickets.models import OpsTask
from tickets.selectors import tasks_visible_to

BACKEND = "django.contrib.auth.backends.ModelBackend"
SUPERUSER = "bench.volume.admin"


@dataclass(frozen=True, slots=True)
class PageFigures:
    """One page over all of its visitors: seconds, and the most queries that any of them cost."""

    name: str
    visits: int
    median: float
    p95: float
    worst: float
    queries: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who opens the pages: approvers with much and with little to do, people for all institutions, requesters."""

    approvers: Sequence[User]
    all_seeing: Sequence[User]
    requesters: Sequence[User]

    @classmethod
    def gather(cls, each: int) -> "Crowd":
        waiting = ApprovalStep.objects.filter(status=StepStatus.PENDING, approver__username__startswith="bv")
        counted = list(waiting.order_by().values_list("approver").annotate(n=Count("pk")).order_by("-n"))
        keys = [pk for pk, _n in [*counted[:each], *counted[each :: max(1, len(counted) // each)]]]
        users = User.objects.filter(username__startswith="bv").order_by("pk")
        admin, _made = User.objects.get_or_create(
            username=SUPERUSER, defaults={"is_superuser": True, "is_staff": True, "password": "!"}
        )
        return cls(
            list(users.filter(pk__in=keys)),
            [*users.filter(memberships__institution=None).distinct()[:each], admin],
            list(users.filter(is_staff=False)[: 5 * each : 5]),
        )


def measure_pages(crowd: Crowd) -> Iterator[PageFigures]:
    """Every page for its visitors."""
    everybody = [*crowd.approvers, *crowd.all_seeing, *crowd.requesters]
    staff = [*crowd.approvers, *crowd.all_seeing]
    newest = OpsTask.objects.aggregate(newest=Max("pk"))["newest"] or 0
    deep = newest // 2
    pages: list[tuple[str, str, Sequence[User]]] = [
        ("inbox", "/inbox/", staff),
        ("inbox, second page", "/inbox/?page=2", staff),
        ("queue", "/queue/", everybody),
        ("queue, last page", "/queue/?page=999999", everybody),
        ("home", "/", everybody),
        ("tasks", "/tasks/", everybody),
        ("tasks of a state", "/tasks/?status=PEN", everybody),
        ("tasks, half-way down", f"/tasks/?before={deep}", everybody),
        ("tasks, closed ones half-way down", f"/tasks/?before={deep}&status=COM", everybody),
        ("tasks, a word in all of them", "/tasks/?q=접수", everybody),
        ("tasks, a rare word", "/tasks/?q=화재", everybody),
        ("tasks, a word in none", "/tasks/?q=지진대피", everybody),
        ("tasks, a number", f"/tasks/?q={_some_task(newest - 1000)}", everybody),
        ("calendar", "/calendar/", everybody),
        ("policy preview", "", staff),
        ("history (API)", "", everybody),
        ("admin: start", "/admin/", staff),
        ("admin: tasks", "/admin/tickets/opstask/", staff),
        ("admin: tasks of a state", "/admin/tickets/opstask/?status__exact=COM", staff),
        ("admin: tasks, a rare word", "/admin/tickets/opstask/?q=화재", staff),
        ("admin: tasks, page 40", "/admin/tickets/opstask/?p=40", staff),
        ("admin: approval steps", "/admin/governance/approvalstep/", staff),
    ]
    return (_measure(name, url, visitors) for name, url, visitors in pages)


def _measure(name: str, url: str, visitors: Iterable[User]) -> PageFigures:
    seconds, queries = [], 0
    for number, user in enumerate(visitors):
        client = _client(user)
        path = url or _path_for(name, user)
        if not number:
            _visit(client, path)  # templates are compiled once in a process's life
        begun = time.perf_counter()
        _visit(client, path)
        seconds.append(time.perf_counter() - begun)
        with CaptureQueriesContext(connection) as captured:
            _visit(client, path)
        queries = max(queries, len(captured))
    ordered = sorted(seconds)
    return PageFigures(
        name,
        len(ordered),
        statistics.median(ordered),
        ordered[round(0.95 * (len(ordered) - 1))],
        ordered[-1],
        queries,
    )


def _client(user: User) -> Client:
    """A browser with a session, which can also call the API."""
    token = RefreshToken.for_user(user).access_token
    client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0], headers={"authorization": f"Bearer {token}"})
    client.force_login(user, backend=BACKEND)
    return client


def _visit(client: Client, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path}: {response.status_code}")


def _path_for(name: str, user: User) -> str:
    task = tasks_visible_to(user).exclude(system=None)[0]
    return f"/systems/{task.system_id}/approvals/" if name == "policy preview" else f"/api/v1/task/history/{task}"


def _some_task(pk: int) -> str:
    return str(OpsTask.objects.filter(pk__lte=pk).first() or "")
