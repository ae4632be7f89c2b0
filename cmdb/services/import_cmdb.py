"""Takes an inventory in, from institutions to servers, databases and balancers, as JSON (`docs/cmdb-import.md`).

The whole file goes in, or nothing: the first row that is wrong is named.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError, models, transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holds_role
from accounts.signals import acting_by_rank
from accounts.who import who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import Balancer, Credential, Database, EnvironmentProfile, Server, Site, System
from guardia.common.errors import InvalidInput, NotPermitted

M = TypeVar("M", bound=models.Model)
_TEXTS = ("code", "name", "hostname", "institution", "system", "site", "credential", "ip", "role", "home_dir", "jump",
    "server", "dialect", "database", "host", "client", "profile", "kind", "control", "backend", "member", "program",
    "drain_command", "undrain_command", "drained_command", "used_command")  # fmt: skip
_LISTS = ("aliases", "host_keys", "legacy_ssh", "core_logs")
_SERVER_FIELDS = ("role", "number", "aliases", "redundancy_group", "host_keys", "home_dir", "ssh_port", "http_port")
_BALANCER_FIELDS = ("control", "backend", "member", "program", "drain_command", "undrain_command", "drained_command",
    "used_command", "seconds", "others_needed", "is_active")  # fmt: skip
_PROFILE_FIELDS = ("middleware", "startup_script", "shutdown_script", "pid_file", "log_file", "artefact_path",
    "backup_dir", "incoming_dir", "health_path", "log_ready", "log_broken", "free_disk_mib", "stop_seconds",
    "start_seconds", "legacy_ssh", "os_text", "process_text", "service_account", "sudo", "selinux",
    "on_drift", "core_logs")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many rows of each kind the file brought (new and known ones)."""

    institutions: int
    sites: int
    systems: int
    servers: int
    databases: int = 0
    balancers: int = 0
    profiles: int = 0


@refusals_recorded
@transaction.atomic
def import_cmdb(*, actor: User, data: dict[str, Any]) -> ImportReport:
    """Add what is new and update what is known, by code and hostname. Operators of all institutions only.

    Raises InvalidInput naming the row; nothing is kept then.
    """
    if not (actor.is_superuser or holds_role(actor, (Role.OPERATOR, Role.ADMINISTRATOR), None)):
        names = who_hold([Role.OPERATOR, Role.ADMINISTRATOR], None)
        raise NotPermitted(_("An import is for operators of all institutions: %(names)s.") % {"names": names})
    acting_by_rank.send(User, actor=actor, institution=None)
    if not isinstance(data, dict):
        raise InvalidInput(_("An inventory is a JSON object of institutions, systems, sites and servers."))
    institutions = _each(data, "institutions", "code", _institution)
    systems = _each(data, "systems", "code", lambda row: _system(row, institutions))
    sites = _each(data, "sites", "code", lambda row: _site(row, institutions))
    profiles = _each(data, "profiles", "name", lambda row: _profile(row, institutions))
    servers = _each(data, "servers", "hostname", lambda row: _server(row, systems, sites))
    _each(data, "servers", "hostname", lambda row: _jump(row, servers))  # once all are there
    databases = _each(data, "databases", "name", lambda row: _database(row, servers))
    balancers = _each(data, "balancers", "name", lambda row: _balancer(row, institutions, servers))
    report = ImportReport(*map(len, (institutions, sites, systems, servers, databases, balancers, profiles)))
    record(
        action="cmdb.imported",
        actor=actor,
        institution=None,
        institutions=report.institutions,
        sites=report.sites,
        systems=report.systems,
        servers=report.servers,
        databases=report.databases,
        balancers=report.balancers,
        profiles=report.profiles,
    )
    return report


def _each(data: dict[str, Any], kind: str, key: str, take: Callable[[dict[str, Any]], models.Model]) -> dict[str, Any]:
    """The rows of one kind by their key; a row that is wrong is named with what is wrong."""
    taken: dict[str, Any] = {}
    rows = data.get(kind, [])
    if not isinstance(rows, list):
        raise InvalidInput(_("“%(kind)s” must be a list.") % {"kind": kind})
    for row in rows:
        name = row.get(key) if isinstance(row, dict) else None
        try:
            _check_types(row)
            taken[str(name)] = take(row)
        except (KeyError, TypeError, ValueError, ValidationError, DatabaseError, ObjectDoesNotExist) as error:
            reason = "; ".join(error.messages) if isinstance(error, ValidationError) else repr(error)
            raise InvalidInput(
                _("%(kind)s “%(name)s” can't be imported: %(reason)s") % {"kind": kind, "name": name, "reason": reason}
            ) from error
    return taken


def _check_types(row: Any) -> None:
    """Django would turn a list into text that looks like a list; what isn't what it should be is refused instead."""
    if not isinstance(row, dict):
        raise TypeError("a row is a JSON object")
    for key in _TEXTS:
        if key in row and not isinstance(row[key], str):
            raise TypeError(f"{key} is text")
    for key in _LISTS:
        values = row.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise TypeError(f"{key} is a list of text")


def _institution(row: dict[str, Any]) -> Institution:
    found = Institution.objects.filter(code=row["code"]).first() or Institution(code=row["code"])
    return _saved(found, name=row["name"], **_given(row, "aliases"))


def _system(row: dict[str, Any], institutions: dict[str, Institution]) -> System:
    found = System.objects.filter(code=row["code"]).first() or System(code=row["code"])
    institution = institutions[row["institution"]]
    return _saved(found, institution=institution, name=row["name"], **_given(row, "aliases"))


def _site(row: dict[str, Any], institutions: dict[str, Institution]) -> Site:
    found = Site.objects.filter(code=row["code"]).first() or Site(code=row["code"])
    institution = institutions[row["institution"]]
    return _saved(found, institution=institution, name=row["name"], **_given(row, "tier"))


def _server(row: dict[str, Any], systems: dict[str, System], sites: dict[str, Site]) -> Server:
    system = systems[row["system"]]
    found = Server.objects.filter(hostname=row["hostname"]).first() or Server(hostname=row["hostname"], home_dir="/app")
    values = _given(row, *_SERVER_FIELDS)
    return _saved(
        found,
        system=system,
        site=sites[row["site"]] if row.get("site") else _kept(found, "site") or _default_site(system.institution),
        profile=_named_profile(row, system) or _kept(found, "profile") or _default_profile(system.institution),
        address=row["ip"],
        credential=_credential(row, system.institution) or found.credential,
        **values,
    )


def _database(row: dict[str, Any], servers: dict[str, Server]) -> Database:
    server = servers[row["server"]]
    found = Database.objects.filter(server=server, name=row["name"]).first() or Database(server=server)
    credential = _credential(row, server.system.institution) or found.credential
    values = {name: row[name] for name in ("name", "dialect", "database")}
    return _saved(found, credential=credential, **values, **_given(row, "host", "port", "client"))


def _balancer(row: dict[str, Any], institutions: dict[str, Institution], servers: dict[str, Server]) -> Balancer:
    """Of a profile that is there; its host may be in the file or in the inventory ("": the served server itself)."""
    profile = EnvironmentProfile.objects.get(institution=institutions[row["institution"]], name=row["profile"])
    found = Balancer.objects.filter(profile=profile, name=row["name"]).first() or Balancer(profile=profile)
    values = _given(row, *_BALANCER_FIELDS)
    if "server" in row:
        name = row["server"]
        values["server"] = (servers.get(name) or Server.objects.get(hostname=name)) if name else None
    return _saved(found, name=row["name"], kind=row["kind"], **values)


def _jump(row: dict[str, Any], servers: dict[str, Server]) -> Server:
    """The server with its jump host, which the file or the inventory has; "" takes it away."""
    server = servers[row["hostname"]]
    if "jump" not in row:
        return server
    name = row["jump"]
    return _saved(server, jump=(servers.get(name) or Server.objects.get(hostname=name)) if name else None)


def _profile(row: dict[str, Any], institutions: dict[str, Institution]) -> EnvironmentProfile:
    """A known profile that the file changes gets its next revision."""
    institution, values = institutions[row["institution"]], _given(row, *_PROFILE_FIELDS)
    found = EnvironmentProfile.objects.select_for_update().filter(institution=institution, name=row["name"]).first()
    if found is None:
        found = EnvironmentProfile(institution=institution, name=row["name"])
    elif any(getattr(found, name) != value for name, value in values.items()):
        values["revision"] = found.revision + 1
    return _saved(found, **values)


def _named_profile(row: dict[str, Any], system: System) -> EnvironmentProfile | None:
    name = row.get("profile")
    return EnvironmentProfile.objects.get(institution=system.institution, name=name) if name else None


def _given(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """The optional values that the row has; what it doesn't speak of stays as it is."""
    return {name: row[name] for name in names if name in row}


def _kept(found: Server, name: str) -> Any:
    """What a known server has already: a file that doesn't speak of it leaves its tier and its profile alone."""
    return getattr(found, name) if found.pk is not None else None


def _credential(row: dict[str, Any], institution: Institution) -> Credential | None:
    """The log-in named in the row; it must be in the vault already."""
    name = row.get("credential")
    return Credential.objects.get(institution=institution, name=name) if name else None


def _default_site(institution: Institution) -> Site:
    """An inventory without sites has one per institution."""
    defaults = {"institution": institution, "name": institution.name}
    return Site.objects.get_or_create(code=f"{institution.code}-MAIN", defaults=defaults)[0]


def _default_profile(institution: Institution) -> EnvironmentProfile:
    return EnvironmentProfile.objects.get_or_create(institution=institution, name="tomcat")[0]


def _saved(row: M, **values: Any) -> M:
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()
    return row
