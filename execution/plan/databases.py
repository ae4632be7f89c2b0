"""The database that a plan is for, as its steps and the gate need it; the credential by reference only."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from cmdb.models import Database, Server
from execution.exceptions import PlanRefused
from execution.steps.arguments import BadArgument
from execution.steps.sql.rows import LARGEST_FILE, read_rows
from tickets.models.artefact import stored_path

DATABASE = "database"


def with_databases(servers: QuerySet[Server]) -> QuerySet[Server]:
    """Servers with `active_databases`, in one more query."""
    active = Database.objects.filter(is_active=True).select_related("credential").order_by("name")
    return servers.prefetch_related(Prefetch("databases", active, to_attr="active_databases"))


def database_of(server: Server, wanted: object) -> dict[str, Any]:
    """The one database of the server, or the one that the request names. Raises PlanRefused."""
    found: list[Database] = server.active_databases  # type: ignore[attr-defined]  # prefetched under this name
    if wanted:
        found = [row for row in found if row.name == wanted]
    if not found:
        raise PlanRefused(_("The CMDB has no such database of %(name)s.") % {"name": server}, code="no_database")
    if len(found) > 1:
        names = ", ".join(row.name for row in found)
        raise PlanRefused(_("Which database is meant: %(names)s?") % {"names": names}, code="which_database")
    row = found[0]
    return {
        "name": row.name,
        "dialect": row.dialect,
        "client": row.client,
        "host": row.host,
        "port": row.port or 0,
        "database": row.database,
        "user": row.credential.username if row.credential else "",
        "log_in": row.credential is not None,
        "credential": str(row.credential.pk) if row.credential else "",
        "credential_revision": row.credential.revision if row.credential else 0,
    }


def seed_of(artefact: Mapping[str, Any], database: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """What the file would insert: its columns and the number of its rows. Raises PlanRefused."""
    if artefact["size"] > LARGEST_FILE:
        raise PlanRefused(_("The file is too large to be inserted."), code="file_too_large")
    table = str(params.get("table", "")).rpartition(".")[2]
    try:
        data = stored_path(artefact["sha256"]).read_bytes()
        columns, rows = read_rows(data, dialect=database["dialect"], table=table)
    except OSError as error:
        raise PlanRefused(_("The file can't be read any more."), code="artefact_missing") from error
    except BadArgument as error:
        raise PlanRefused(_("The file can't be inserted: %(reason)s") % {"reason": error}, code="bad_file") from error
    return {"columns": columns, "rows": len(rows)}
