"""Host keys come from the server, and are pinned by a person: never by themselves."""

from pathlib import Path

import pytest

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from cmdb.models import Server
from demo.fleet.backends import find_sshd
from execution.choices import HaltScope, ScanStatus
from execution.gate.host_keys import ask_host_keys, decide_host_key
from execution.halts.press import halt
from execution.models import HostKeyScan
from execution.ssh.hostkeys import fingerprint
from governance.exceptions import ReasonMissing
from guardia.common.errors import GuardiaError, InvalidInput, NotPermitted, NotVisible, StaleState
from tests.doors import browser
from tests.execution.ssh.sshd import Sshd, running_sshd
from tests.execution.test_way import jump_host
from tests.factories import Tenant, make_server, make_user
from tests.queue import run_queue
from tests.snapshot import nothing_changes

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's sshd is not installed"),
]
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
HOW = "콘솔에서 읽어 확인"


def at(tenant: Tenant, server: Sshd, **fields: object) -> Server:
    return make_server(tenant.system, address="127.0.0.1", ssh_port=server.port, **{"host_keys": [], **fields})


def asked(actor: User, server: Server) -> HostKeyScan:
    (scan,) = ask_host_keys(actor=actor, server_pks=[server.pk])
    run_queue()
    return HostKeyScan.objects.get(pk=scan.pk)


def test_a_key_is_shown_compared_and_pinned(tmp_path: Path) -> None:
    tenant = Tenant(servers=0)
    operator = make_user(Role.OPERATOR, tenant.institution)
    with running_sshd(tmp_path) as sshd:
        server = at(tenant, sshd)
        scan = asked(operator, server)
    assert (scan.status, scan.offered, scan.fingerprint) == ("SHOWN", sshd.key_line, fingerprint(sshd.key_line))
    assert Server.objects.get(pk=server.pk).host_keys == []
    with nothing_changes(), pytest.raises(ReasonMissing):
        decide_host_key(actor=operator, scan_pk=scan.pk, is_accepted=True, comparison=" ")
    decide_host_key(actor=operator, scan_pk=scan.pk, is_accepted=True, comparison=HOW)
    assert Server.objects.get(pk=server.pk).host_keys == [sshd.key_line]
    actions = Entry.objects.filter(action__contains="host_key").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["host_key.asked", "host_key.shown", "host_key.accepted"]
    with nothing_changes(), pytest.raises(StaleState):
        decide_host_key(actor=operator, scan_pk=scan.pk, is_accepted=True, comparison=HOW)


def test_a_changed_key_takes_the_place_of_its_kind_alone_and_only_by_a_person(tmp_path: Path) -> None:
    tenant = Tenant(servers=0)
    operator = make_user(Role.OPERATOR, tenant.institution)
    rsa = "ssh-rsa " + "A" * 8
    with running_sshd(tmp_path) as sshd:
        server = at(tenant, sshd, host_keys=[OTHER])
        Server.objects.filter(pk=server.pk).update(host_keys=[OTHER, rsa])
        scan = asked(operator, server)
        page = browser(operator).get("/servers/keys/").content.decode()
        assert fingerprint(sshd.key_line) in page and fingerprint(OTHER) in page and "note-error" in page
        Server.objects.filter(pk=server.pk).update(host_keys=[OTHER])
        with nothing_changes(), pytest.raises(StaleState):  # another hand has changed them meanwhile
            decide_host_key(actor=operator, scan_pk=scan.pk, is_accepted=True, comparison=HOW)
        decide_host_key(actor=operator, scan_pk=scan.pk, is_accepted=False, comparison="모르는 키")
    assert Server.objects.get(pk=server.pk).host_keys == [OTHER]
    assert HostKeyScan.objects.get(pk=scan.pk).status == ScanStatus.REFUSED


def test_a_host_behind_a_jump_host_is_asked_through_it_and_one_that_is_down_says_so(tmp_path: Path) -> None:
    tenant = Tenant(servers=0)
    operator = make_user(Role.OPERATOR, tenant.institution)
    with running_sshd(tmp_path / "jump", "AllowTcpForwarding local") as jump:
        with running_sshd(tmp_path / "behind") as sshd:
            server = at(tenant, sshd, jump=jump_host(tenant, jump))
            assert asked(operator, server).offered == sshd.key_line
        down = at(tenant, sshd)
        assert asked(operator, down).status == ScanStatus.FAILED
        assert HostKeyScan.objects.get(server=down).error


def test_nothing_is_asked_while_the_kill_switch_is_pressed(tmp_path: Path) -> None:
    tenant = Tenant(servers=0)
    operator = make_user(Role.OPERATOR, tenant.institution)
    with running_sshd(tmp_path) as sshd:
        server = at(tenant, sshd)
        halt(actor="console:test", scope=HaltScope.INSTITUTION, institution=tenant.institution.code, reason="얼룩말")
        scan = asked(operator, server)
    assert scan.status == ScanStatus.FAILED and "얼룩말" in scan.error and scan.offered == ""


def test_who_may_ask_and_decide() -> None:
    tenant, other = Tenant(servers=1), Tenant(servers=1)
    operator = make_user(Role.OPERATOR, tenant.institution)
    scan = HostKeyScan.objects.create(server=tenant.servers[0], asked_by=operator, pinned=tenant.servers[0].host_keys)
    scan.show(OTHER, fingerprint(OTHER))
    scan.save()
    stranger = make_user(Role.OPERATOR, other.institution)
    cases: list[tuple[User, type[GuardiaError]]] = [(tenant.pm, NotPermitted), (tenant.owner, NotPermitted)]
    for actor, error in [*cases, (stranger, NotVisible)]:
        with nothing_changes():
            with pytest.raises(error) as caught:
                ask_host_keys(actor=actor, server_pks=[tenant.servers[0].pk])
            assert error is NotVisible or str(operator) in str(caught.value)
            with pytest.raises(error):
                decide_host_key(actor=actor, scan_pk=scan.pk, is_accepted=True, comparison=HOW)
    with nothing_changes():
        for pks in ([], list(range(101))):
            with pytest.raises(InvalidInput):
                ask_host_keys(actor=operator, server_pks=pks)
    assert ask_host_keys(actor=operator, server_pks=[tenant.servers[0].pk]) == []  # it waits for a decision already


def test_the_page_asks_and_pins_and_is_for_operators(tmp_path: Path) -> None:
    tenant = Tenant(servers=0)
    operator = make_user(Role.OPERATOR, tenant.institution)
    with running_sshd(tmp_path) as sshd:
        server = at(tenant, sshd)
        client = browser(operator)
        assert client.post("/servers/keys/ask/", {}).status_code == 400
        assert client.post("/servers/keys/ask/", {"server": [server.pk]}).status_code == 302
        run_queue()
    assert fingerprint(sshd.key_line) in client.get("/servers/keys/").content.decode()
    scan = HostKeyScan.objects.get(server=server)
    path = f"/servers/keys/{scan.pk}/decide/"
    assert client.post(path, {"decision": "accept"}).status_code == 400
    assert client.post(path, {"decision": "accept", "comparison": HOW}).status_code == 302
    assert Server.objects.get(pk=server.pk).host_keys == [sshd.key_line]
    assert browser(tenant.site_manager).get("/servers/keys/").status_code == 403
