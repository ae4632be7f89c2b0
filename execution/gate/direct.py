"""A look at hosts beside any run: what reads and nothing else, for an operator, at once, through the same gate.

Before each log-in stand the kill switch, the chain's integrity and the host's lock; the use of the credential and the
command are entries of the chain.
"""

import shlex
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role
from accounts.who import who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import Server
from execution.command_check.looks import is_look
from execution.exceptions import GateClosed, Halted
from execution.gate.doors import Door, open_doors
from execution.gate.halts import halts_of_institution, words_of
from execution.gate.integrity import check_integrity
from execution.models import HostLock
from execution.plan.build import door_of
from execution.ssh.connection import connect
from execution.ssh.result import CommandResult
from governance.services.bastion import require_bastion
from guardia.common.errors import GuardiaError, InvalidInput, NotPermitted
from guardia.common.masking import MASK, mask
from guardia.common.text import printable

#: Seconds between two looks at the kill switch while commands run.
_WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a host answered, or why it didn't (`code`); the output is its head, masked."""

    hostname: str
    exit_status: int | None = None
    output: str = ""
    is_cut: bool = False
    code: str = ""
    error: str = ""


@refusals_recorded
def look_at_hosts(
    *, actor: User, servers: Sequence[Server], command: str, seconds: int = 30, keep: int = 16_384
) -> Iterator[Said]:
    """Run a command that only looks, on many hosts at once; answers come as they are there. `seconds` and `keep` (bytes
    of output) bound each host.

    Raises NotPermitted, OutsideBastion, InvalidInput (not a look) before anything is connected to.
    """
    for institution in {server.system.institution_id: server.system.institution for server in servers}.values():
        if not (actor.is_superuser or holds_role(actor, Role.OPERATOR, institution.pk)):
            names = who_hold([Role.OPERATOR], institution.pk)
            told = {"institution": institution, "names": names}
            raise NotPermitted(_("Commands on servers of %(institution)s are for operators: %(names)s.") % told)
        require_bastion(actor=actor, institution=institution)
    if not is_look(command):
        raise InvalidInput(_("This command does more than look; it needs a task."), code="not_a_look")
    return _answers(actor, servers, command, seconds, keep)


def _answers(actor: User, servers: Sequence[Server], command: str, seconds: int, keep: int) -> Iterator[Said]:
    cancel = threading.Event()
    with ThreadPoolExecutor(max_workers=settings.GUARDIA_HOSTS_AT_ONCE, thread_name_prefix="look") as pool:
        flying = {pool.submit(_look, actor, server, command, seconds, keep, cancel) for server in servers}
        try:
            while flying:
                done, flying = wait(flying, timeout=_WATCH_SECONDS, return_when=FIRST_COMPLETED)
                if not cancel.is_set() and _is_halted(servers):
                    cancel.set()
                yield from (future.result() for future in done)
        finally:
            cancel.set()


def _is_halted(servers: Sequence[Server]) -> bool:
    return any(halts_of_institution(pk).exists() for pk in {server.system.institution_id for server in servers})


def _look(actor: User, server: Server, command: str, seconds: int, keep: int, cancel: threading.Event) -> Said:
    result: CommandResult | None = None
    refusal: GuardiaError | None = None
    try:
        result = _ask(server, command, seconds, keep, cancel)
    except GuardiaError as error:
        refusal = error
    try:
        _record(actor, server, command, result, refusal)
    finally:
        connection.close()  # the thread's own
    if result is None:
        assert refusal is not None, "one of the two"
        return Said(server.hostname, code=refusal.code, error=mask(str(refusal)))
    output = mask(printable(result.stdout + result.stderr))
    return Said(server.hostname, result.exit_status, output[:keep], is_cut=result.truncated or len(output) > keep)


def check_look(server: Server) -> None:
    """What the gate asks before each log-in beside any run. Raises GateClosed, Halted."""
    halt = halts_of_institution(server.system.institution_id).first()
    if halt is not None:
        raise Halted(words_of(halt))
    check_integrity(server.system.institution)
    if server.site.gateway_id is not None:
        text = _("It stands behind gateway %(gateway)s, which takes approved work alone: it can't be asked from here.")
        raise GateClosed(text % {"gateway": server.site.gateway}, code="behind_gateway")
    if HostLock.objects.filter(server=server).exists():
        raise GateClosed(_("Another run holds this server."), code="host_locked")


def _ask(server: Server, command: str, seconds: int, keep: int, cancel: threading.Event) -> CommandResult:
    """Raises what the gate refuses, an error of the vault, or SshError."""
    if cancel.is_set():
        raise Halted
    check_look(server)
    way = server.way()
    if any(not hop.is_active or hop.credential is None for hop in (server, *way)):
        raise GateClosed(_("Server %(name)s has no credential.") % {"name": server.hostname}, code="no_credential")
    (opened,) = open_doors([[Door(server, hop.hostname, door_of(hop, hop.credential)) for hop in (*way, server)]])
    if isinstance(opened, GuardiaError):
        raise opened
    *via, end = opened
    limit = settings.GUARDIA_CONNECT_SECONDS
    with connect(end.target, end.secret, deadline=limit, cancel=cancel, via=via) as line:
        result = line.run(["sh", "-c", command], deadline=seconds, keep=keep)
    if end.secret.kind == "password":  # a host knows it and may say it
        said = {name: getattr(result, name).replace(end.secret.value, MASK) for name in ("stdout", "stderr")}
        return replace(result, **said)
    return result


@transaction.atomic
def _record(
    actor: User, server: Server, command: str, result: CommandResult | None, refusal: GuardiaError | None
) -> None:
    record(
        action="host.looked" if result is not None else "host.look_failed",
        actor=actor,
        institution=server.system.institution,
        subject=server,
        summary=str(refusal or ""),
        system=server.system.code,
        server=server.hostname,
        commands=[mask(command)],
        result_code=result.exit_status if result is not None else None,
        output_sha256=result.sha256 if result is not None else "",
        error_code=refusal.code if refusal is not None else "",
    )


def as_line(words: Sequence[str]) -> str:
    """One word is a line for the shell as it is; several are quoted, each for itself."""
    return words[0] if len(words) == 1 else shlex.join(words)
