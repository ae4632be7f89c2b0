"""Commands on many servers from a console: looks at once, more by way of a task, and never past the gate."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.choices import Role
from audit.models import Entry
from cmdb.models import Server
from execution.command_check.looks import is_look
from execution.exceptions import PlanRefused
from execution.halts.press import halt
from execution.models import HostLock, Run
from execution.plan.build import build_document, playbook_for
from tests.execution.fleet_tenant import FleetTenant
from tests.factories import Tenant, make_institution, make_server, make_system, make_user
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

LOOKS = [
    "df -h", "uptime", "cat /etc/os-release", "systemctl status tomcat", "ps aux | grep java", "crontab -l",
    "tail -n 5 /var/log/messages", "rpm -qa", "ip addr", "du -sh /var/log", "date",
]  # fmt: skip
MORE = [
    "systemctl restart tomcat", "rm /app/x", "touch /app/x", "nginx -s reload", "kill -9 1", "date 0101", "uniq a b",
    "sort -uo x a", "sort --output=x a", "ip link set eth0 down", "tail -f /var/log/messages", "df; reboot", "df && id",
    "df > /tmp/x", "$(id)", "`id`", "ps aux | sh", "df | tee /tmp/x", "LD_PRELOAD=x df", "env df", "find / -delete",
    "/tmp/df", "cat /etc/shadow", "crontab -l -u root", "df\nreboot", "df & reboot", "", "|", "'", "df |", "ss -K",
    "python3 -c 1", "awk 1", "sed -n p /etc/x", "xargs df", "service tomcat restart", "sudo df", "df -h #", "rpm -e x",
]  # fmt: skip


@pytest.mark.parametrize("line", LOOKS)
def test_what_only_reads_is_a_look(line: str) -> None:
    assert is_look(line)


@pytest.mark.parametrize("line", MORE)
def test_everything_else_is_more_than_a_look(line: str) -> None:
    assert not is_look(line)


class Console:
    """`fleet_exec` as an operator of the tenant."""

    def __init__(self, tenant: Tenant, folder: Path) -> None:
        self.tenant, self.file = tenant, folder / "hosts"
        self.operator = make_user(Role.OPERATOR, tenant.institution)
        self.file.write_text("\n".join(["# all", *(server.hostname for server in tenant.servers), ""]))

    def says(self, *words: str, who: str = "", **options: Any) -> tuple[int, str]:
        """(exit status, output)."""
        out = StringIO()
        which = ["--query", options["query"]] if "query" in options else ["--hosts", str(self.file)]
        arguments = ["--as", who or self.operator.username, *which, *options.get("more", []), "--", *words]
        try:
            call_command("fleet_exec", *arguments, stdout=out)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue()
        except CommandError as error:
            return error.returncode, str(error)
        return 0, out.getvalue()


@pytest.fixture
def console(tenant: FleetTenant, tmp_path: Path) -> Console:
    return Console(tenant, tmp_path)


def test_a_look_runs_on_every_host_at_once_and_is_an_entry(console: Console) -> None:
    status, out = console.says("uname", "-s", more=["--json"])
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and {row["host"] for row in rows} == set(console.tenant.hosts)  # type: ignore[attr-defined]
    assert all((row["output"], row["exit_status"], row["error"]) == ("Linux\n", 0, "") for row in rows)
    entries = Entry.objects.filter(action="host.looked")
    assert entries.count() == len(rows) and '"uname -s"' in entries[0].body
    assert Entry.objects.filter(action="credential.used").count() == len(rows)
    assert not Run.objects.exists() and not OpsTask.objects.exists()


def test_the_exit_status_tells_that_a_host_failed_and_a_table_says_which(console: Console) -> None:
    Server.objects.filter(pk=console.tenant.servers[0].pk).update(ssh_port=1)
    status, out = console.says("ls /nowhere-at-all || true".replace(" || true", ""))
    assert status == 1
    first, *others = [line for line in out.splitlines() if not line.startswith(" ")]
    assert len(others) == 4 and sum(" 2 " in line for line in (first, *others)) == 4
    assert Entry.objects.filter(action="host.look_failed").count() == 1


def test_the_output_is_bounded_and_has_no_secret(console: Console) -> None:
    status, out = console.says("cat", "/proc/cpuinfo", more=["--json", "--output", "50"])
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and all(len(row["output"]) <= 50 and row["is_cut"] for row in rows)
    assert console.says("echo", "password=hunter2hunter2")[0] == 2


def test_the_gate_stands_before_a_look(console: Console) -> None:
    server = console.tenant.servers[0]
    task, plan = console.tenant.planned()
    lock = HostLock.objects.create(server=server, run=Run.objects.create(task=task, plan=plan))
    status, out = console.says("uptime", more=["--json"])
    codes = {row["host"]: row["error_code"] for row in map(json.loads, out.splitlines())}
    assert status == 1 and codes.pop(server.hostname) == "host_locked" and set(codes.values()) == {""}
    lock.delete()
    halt(actor="console:test", scope="INSTITUTION", institution=console.tenant.institution.code, reason="stop")
    status, out = console.says("uptime", more=["--json"])
    assert status == 1 and {json.loads(line)["error_code"] for line in out.splitlines()} == {"halted"}


def test_what_is_more_than_a_look_becomes_a_task_that_three_people_approve(console: Console) -> None:
    status, out = console.says("systemctl restart tomcat")
    task = OpsTask.objects.get()
    assert (status, task.status, task.sub_type, task.risk) == (3, "PAR", "HOST_COMMAND", 4)
    assert task.task_id in out and task.params["command"] == "systemctl restart tomcat"
    assert task.servers.count() == 5 and not Entry.objects.filter(action="credential.used").exists()
    step = build_document(task, playbook_for(task))["hosts"][console.tenant.servers[0].hostname]["steps"][0]
    assert "systemctl restart tomcat" in json.dumps(step)


@pytest.mark.django_db
def test_what_is_blocked_is_refused_and_so_are_strangers(in_english: None, tmp_path: Path) -> None:
    console = Console(Tenant(servers=2), tmp_path)
    stranger, lead = make_user(Role.OPERATOR, make_institution()), console.tenant.owner
    other = make_server(make_system(make_institution()))
    with nothing_changes():
        assert console.says("rm -rf /")[0] == 2
        assert console.says("uptime", who="nobody")[0] == 2
        assert console.says("uptime", who=stranger.username)[0] == 2, "not a server they see"
        assert console.says("uptime", query=f"host={other.hostname}")[0] == 2
        for query in ("tier=one", "password=x", "system=", "system='", "system=NONE"):
            assert console.says("uptime", query=query)[0] == 2
    status, out = console.says("uptime", who=lead.username)
    assert status == 2 and str(console.operator) in out
    assert not OpsTask.objects.exists()


@pytest.mark.django_db
def test_a_query_names_servers_by_what_they_are(in_english: None, tmp_path: Path) -> None:
    console = Console(Tenant(servers=3), tmp_path)
    first = console.tenant.servers[0]
    code = console.tenant.system.code
    for more, count in (("", 3), (f"host={first.hostname}", 1), ("tier=2", 3)):
        assert console.says("systemctl restart x", query=f"system={code} {more}")[0] == 3
        assert OpsTask.objects.latest("pk").servers.count() == count
    assert console.says("uptime", query=f"system={code} tier=1")[0] == 2


@pytest.mark.django_db
def test_a_command_that_the_check_blocks_makes_no_plan(in_english: None) -> None:
    tenant = Tenant(servers=1)
    task = tenant.file()
    OpsTask.objects.filter(pk=task.pk).update(sub_type="HOST_COMMAND", params={"command": "rm -rf /"})
    task = OpsTask.objects.get(pk=task.pk)
    with pytest.raises(PlanRefused):
        build_document(task, playbook_for(task))
