"""Is the process alive, and can it work? For load balancers and supervisors; says nothing that helps an attacker."""

from datetime import timedelta

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from guardia.common.clock import now


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, its schema is ours and the queue is being emptied; else 503 and what is wrong."""
    checks = {"database": False, "migrations": False, "worker": False}
    try:
        checks["database"] = _database_answers()
        checks["migrations"] = _is_migrated()
        checks["worker"] = _worker_is_alive()
    except DatabaseError:
        connection.close()
    is_ready = all(checks.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": checks}
    return JsonResponse(body, status=200 if is_ready else 503)


def _database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _is_migrated() -> bool:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _worker_is_alive() -> bool:
    """No message has been waiting for more than half a minute."""
    from django_q.models import OrmQ

    oldest = OrmQ.objects.order_by("pk").first()
    return oldest is None or oldest.lock is None or oldest.lock > now() - timedelta(seconds=30)
