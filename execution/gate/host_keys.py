"""Host keys: asked for without a credential, shown to a person, and pinned only when that person has compared them."""

from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holders_of, holds_role, visible_to
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import Server
from cmdb.services.save_row import save_row
from execution.choices import ScanStatus
from execution.exceptions import Halted
from execution.gate.doors import Door, address_refusal, open_doors
from execution.gate.halts import halts_of_institution, words_of
from execution.models import HostKeyScan
from execution.plan.build import door_of
from execution.ssh.exceptions import BadHostKeyLine
from execution.ssh.hostkeys import fingerprint
from execution.ssh.route import scan_host_key
from execution.ssh.target import Target
from governance.exceptions import ReasonMissing
from governance.services.bastion import require_bastion
from guardia.common.errors import GuardiaError, InvalidInput, NotPermitted, NotVisible, StaleState
from guardia.common.queue import enqueue

AT_ONCE = 100
_ACTOR = "guardia"


@refusals_recorded
@transaction.atomic
def ask_host_keys(*, actor: User, server_pks: Sequence[int]) -> list[HostKeyScan]:
    """Have a worker ask servers for their host keys. One that is being asked already is left as it is.

    Raises InvalidInput (none or too many), NotVisible, NotPermitted, OutsideBastion.
    """
    if not 0 < len(server_pks) <= AT_ONCE:
        raise InvalidInput(_("Please choose between 1 and %(limit)s servers.") % {"limit": AT_ONCE})
    servers = list(visible_to(Server.objects.filter(pk__in=server_pks), actor).select_related("system__institution"))
    if len(servers) != len(set(server_pks)):
        raise NotVisible
    scans = []
    for server in servers:
        _require_operator(actor, server)
        try:
            with transaction.atomic():
                scan = HostKeyScan.objects.create(server=server, asked_by=actor, pinned=server.host_keys)
        except IntegrityError:
            continue
        record(
            action="host_key.asked",
            actor=actor,
            institution=server.system.institution,
            subject=server,
        )
        enqueue("execution.tasks.scan_host_key", scan.pk)
        scans.append(scan)
    return scans


def answer_scan(scan_pk: int) -> None:
    """The worker's part: ask the server, straight or through its jump hosts, and note what it shows."""
    scan = (
        HostKeyScan.objects.select_related("server__profile", "server__jump", "server__site").filter(pk=scan_pk).first()
    )
    if scan is None or scan.status != ScanStatus.WAITING:
        return
    offered, error = "", ""
    try:
        offered = _shown_by(scan.server)
    except GuardiaError as refusal:
        error = str(refusal)
    with transaction.atomic():
        scan = HostKeyScan.objects.select_for_update(of=("self",)).select_related("server__system").get(pk=scan_pk)
        if scan.status != ScanStatus.WAITING:
            return
        scan.fail(error) if error else scan.show(offered, fingerprint(offered))
        scan.save()
        record(
            action="host_key.shown" if offered else "host_key.unreachable",
            actor=_ACTOR,
            institution=scan.server.system.institution,
            subject=scan.server,
            summary=scan.fingerprint or scan.error,
        )


@refusals_recorded
@transaction.atomic
def decide_host_key(*, actor: User, scan_pk: int, is_accepted: bool, comparison: str) -> HostKeyScan:
    """Pin the key that a server showed (in the place of the pinned one of its kind), or refuse it.

    `comparison` says how the fingerprint was compared by another way than this one. Raises NotVisible, NotPermitted,
    OutsideBastion, ReasonMissing, StaleState (decided already, or the pinned keys have changed since).
    """
    scans = HostKeyScan.objects.select_for_update(of=("self",)).select_related("server__system__institution")
    scan = visible_to(scans, actor).filter(pk=scan_pk).first()
    if scan is None:
        raise NotVisible
    _require_operator(actor, scan.server)
    if not comparison.strip():
        raise ReasonMissing
    if scan.status not in ((ScanStatus.SHOWN,) if is_accepted else (ScanStatus.SHOWN, ScanStatus.WAITING)):
        raise StaleState
    if is_accepted:
        server = Server.objects.select_for_update(of=("self",)).get(pk=scan.server_id)
        if server.host_keys != scan.pinned:
            raise StaleState
        kind = scan.offered.split()[0]
        server.host_keys = [*(line for line in server.host_keys if line.split()[0] != kind), scan.offered]
        save_row(actor=actor, row=server)
        scan.accept(actor, comparison)
    else:
        scan.refuse(actor, comparison)
    scan.save()
    record(
        action="host_key.accepted" if is_accepted else "host_key.refused",
        actor=actor,
        institution=scan.server.system.institution,
        subject=scan.server,
        summary=comparison,
        fingerprint=scan.fingerprint,
    )
    return scan


def fingerprint_of(line: str) -> str:
    """What a person compares of a pinned key; a question mark where the line can't be read."""
    try:
        return fingerprint(line)
    except BadHostKeyLine:
        return "?"


def _shown_by(server: Server) -> str:
    """Nothing reaches a server while the kill switch is pressed for its institution. Raises Halted, SshError, …"""
    if pressed := halts_of_institution(server.system.institution_id).first():
        raise Halted(words_of(pressed))
    if server.site.gateway_id is not None:
        raise StaleState(_("A gateway stands before it: its key comes with the inventory."))
    if refusal := address_refusal(server.address):
        raise refusal
    doors = [Door(server, hop.hostname, door_of(hop, hop.credential)) for hop in server.way() if hop.credential]
    [via] = open_doors([doors])
    if isinstance(via, GuardiaError):
        raise via
    target = Target(
        hostname=server.hostname,
        address=server.address,
        port=server.ssh_port,
        username="",
        legacy=tuple(server.profile.legacy_ssh),
    )
    return scan_host_key(target, deadline=settings.GUARDIA_CONNECT_SECONDS, via=via)


def _require_operator(actor: User, server: Server) -> None:
    institution = server.system.institution
    if not (actor.is_superuser or holds_role(actor, Role.OPERATOR, institution.pk)):
        names = ", ".join(str(user) for user in holders_of(Role.OPERATOR, institution.pk)[:3])
        raise NotPermitted(_("An operator decides this: %(names)s.") % {"names": names or "-"})
    require_bastion(actor=actor, institution=institution)
