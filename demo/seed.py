"""Sample data of the demonstration, through the product's own services: who works where, what runs where, who decides.

Run again it changes nothing but the ports and keys of a fleet that moved.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.choices import Role
from accounts.models import Institution, User
from cmdb.models import EnvironmentProfile, Server, System
from cmdb.services.import_cmdb import import_cmdb
from cmdb.services.save_profile import save_profile
from cmdb.services.store_credential import store_credential
from demo.fleet import HostAccess
from demo.fleet.hosts import FLEET_DATA
from execution.playbooks.publish import publish_shipped
from governance.services.accounts import create_account, grant_role
from governance.services.default_policies import install_default_policies
from governance.services.name_owner import name_owner
from guardia.keys import secret_from_home

ADMINISTRATOR = "admin"
_CONSONANTS = "bcdfghjkmnpqrstvwxyzBCDFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    name: str
    role: Role
    institution: str  # code; empty for all


PEOPLE = (
    Person("kim.site", "김현장", Role.SITE_MANAGER, "MOEF"),
    Person("lee.lead", "이팀장", Role.TEAM_LEAD, "MOEF"),
    Person("choi.deputy", "최대리", Role.TEAM_LEAD, "MOEF"),
    Person("kang.head", "강본부장", Role.TEAM_LEAD, "MOEF"),
    Person("park.pm", "박피엠", Role.PM, "MOEF"),
    Person("jung.security", "정보안", Role.SECURITY_OFFICER, "MOEF"),
    Person("han.site", "한민원", Role.SITE_MANAGER, "MOIS"),
    Person("oh.lead", "오팀장", Role.TEAM_LEAD, "MOIS"),
    Person("yoon.pm", "윤피엠", Role.PM, "MOIS"),
    Person("nam.security", "남보안", Role.SECURITY_OFFICER, ""),
    Person("seo.operator", "서운영", Role.OPERATOR, ""),
    Person("moon.auditor", "문감사", Role.AUDITOR, ""),
)
OWNERS = {"MOEF-BUDGET": ("lee.lead", "choi.deputy"), "MOIS-CIVIL": ("oh.lead", None), "MOIS-DOC": ("oh.lead", None)}
#: Who is asked last, marked urgent.
SUPERVISORS = {"MOEF-BUDGET": "kang.head"}
#: Where things are on a host of the fleet, below its directory.
PATHS = {
    "startup_script": "app/bin/startup.sh",
    "shutdown_script": "app/bin/shutdown.sh",
    "pid_file": "app/run/app.pid",
    "log_file": "app/logs/catalina.out",
    "artefact_path": "app/webapps/app.war",
    "backup_dir": "app/backup",
    "incoming_dir": "incoming",
    "log_broken": "SEVERE",
    "free_disk_mib": 64,
}


def sample_password() -> str:
    """The password of all sample users: made for this home at first use, never a known one."""
    seed = hashlib.sha256(secret_from_home(settings.GUARDIA_HOME, "sample_password").encode()).digest()
    # Consonant, digit, consonant, …: whatever comes out, it spells no name and no sequence, as the policy wants.
    return "".join(str(byte % 10) if place % 2 else _CONSONANTS[byte % 40] for place, byte in enumerate(seed[:16]))


def seed(
    hosts: list[HostAccess],
    *,
    data: dict[str, Any] | None = None,
    staff: Sequence[Person] = PEOPLE,
    owners: Mapping[str, tuple[str, str | None]] = OWNERS,
) -> None:
    """Bring the database to the state in which the demonstration starts. `data` is an inventory without the
    addresses of `hosts`; by default that of the demonstration's fleet."""
    password = sample_password()
    admin = _administrator(password)
    data = data or json.loads(FLEET_DATA.read_text(encoding="utf-8"))
    import_cmdb(actor=admin, data={**data, "servers": []})
    people = {person.username: _person(admin, person, password) for person in staff}
    _servers(admin, data, {host.hostname: host for host in hosts})
    for code, (owner, deputy) in owners.items():
        name_owner(
            actor=admin,
            system=System.objects.get(code=code),
            owner=people[owner],
            deputy=people[deputy] if deputy else None,
            supervisor=people.get(SUPERVISORS.get(code, "")),
        )
    install_default_policies(actor="guardia")
    publish_shipped(actor="guardia")


def _administrator(password: str) -> User:
    """The first account of an installation is made on its console, as `createsuperuser` does."""
    found = User.objects.filter(username=ADMINISTRATOR).first()
    return found or User.objects.create_superuser(ADMINISTRATOR, password=password, display_name="관리자")


def _person(admin: User, person: Person, password: str) -> User:
    user = User.objects.filter(username=person.username).first() or create_account(
        actor=admin,
        username=person.username,
        display_name=person.name,
        password=password,
        must_change_password=False,  # to be tried at once
    )
    institution = Institution.objects.get(code=person.institution) if person.institution else None
    grant_role(actor=admin, user=user, role=person.role, institution=institution)
    return user


def _servers(admin: User, data: dict[str, Any], hosts: dict[str, HostAccess]) -> None:
    """Each host has its own account: a credential in the vault, a pinned key, a home."""
    institutions = {row["code"]: row["institution"] for row in data["systems"]}
    rows = []
    for row in data["servers"]:
        host = hosts[row["hostname"]]
        rows.append(
            {
                **row,
                "ssh_port": host.port,
                "http_port": host.http_port,
                "host_keys": [host.host_key],
                "home_dir": str(Path(host.app_home).parent),
                "credential": row["hostname"],
            }
        )
        if not _is_stored(row["hostname"], host):
            store_credential(
                actor=admin,
                institution=Institution.objects.get(code=institutions[row["system"]]),
                name=row["hostname"],
                kind=host.credential_kind,
                username=host.username,
                secret=host.credential_secret,
            )
    import_cmdb(actor=admin, data={**data, "servers": rows})
    for profile in EnvironmentProfile.objects.filter(name="tomcat").exclude(**PATHS):
        for name, value in PATHS.items():
            setattr(profile, name, value)
        profile.middleware = "Tomcat"
        save_profile(actor=admin, profile=profile)


def _is_stored(hostname: str, host: HostAccess) -> bool:
    """A fleet keeps its keys, so the vault's copy stays right unless the kind of server has changed."""
    server = Server.objects.filter(hostname=hostname).select_related("credential").first()
    return bool(
        server
        and server.credential
        and (server.credential.kind, server.credential.username) == (host.credential_kind, host.username)
        and server.host_keys == [host.host_key]
    )
