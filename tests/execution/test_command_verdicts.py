"""The engine and the command check: verdicts are part of the plan, ask for one more person, and are asked again at the gate."""

from typing import Any

import pytest

from execution.command_check.verdict import Verdict
from execution.exceptions import PlanRefused
from execution.plan.build import build_document, playbook_for
from execution.plan.judge import is_worse, judge_argv, judge_steps, surroundings_of
from execution.plan.prepare import prepare_plan
from execution.steps import files, service
from execution.steps.library import LIBRARY
from execution.steps.ops import Step, check, run, shell
from governance.models import ApprovalStep
from tests.factories import Tenant
from tickets.models import OpsTask

HOME = "/srv/app"
START, STOP = f"{HOME}/bin/start.sh", f"{HOME}/bin/stop.sh"
SAMPLE: dict[str, dict[str, Any]] = {
    "check_disk": {"path": HOME, "free_mib": 10},
    "check_running": {"pid_file": f"{HOME}/app.pid", "port": 80},
    "upload": {"sha256": "a" * 64, "size": 1, "path": f"{HOME}/in/x"},
    "verify": {"sha256": "a" * 64, "path": f"{HOME}/in/x"},
    "back_up": {"path": f"{HOME}/a.war", "backup": f"{HOME}/b.war"},
    "swap": {"incoming": f"{HOME}/in/x", "path": f"{HOME}/a.war", "backup": f"{HOME}/b.war", "sha256": "a" * 64},
    "stop": {"shutdown": STOP, "startup": START, "pid_file": f"{HOME}/p", "log_file": f"{HOME}/l", "seconds": 1, "start_seconds": 1},
    "start": {"shutdown": STOP, "startup": START, "pid_file": f"{HOME}/p", "log_file": f"{HOME}/l", "seconds": 1, "stop_seconds": 1},
    "health": {"port": 80, "path": "/", "log_file": f"{HOME}/l", "log_ready": "up", "log_broken": "down", "seconds": 1},
    "http_check": {"port": 80, "path": "/"},
}  # fmt: skip


def verdict_of(*steps: Step) -> str:
    return str(judge_steps(steps, home=HOME, programs=[START, STOP])["verdict"])


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_step_library_is_let_through_on_the_applications_own_files(name: str) -> None:
    arguments = SAMPLE.get(name)
    if arguments is None:
        pytest.skip("its sample stands with its own tests")
    assert verdict_of(LIBRARY[name](**arguments)) == "allow"


@pytest.mark.parametrize(
    "path", ["/etc/shadow", f"{HOME}/../../etc/passwd", "/srv/application/x", "x", f"{HOME}/a\u202eb"]
)
def test_a_template_on_other_files_is_refused(path: str) -> None:
    assert verdict_of(files.verify(sha256="a" * 64, path=path)) == "block"
    assert verdict_of(files.upload(sha256="a" * 64, size=1, path=path)) == "block"
    assert verdict_of(service.check_running(pid_file=path, port=1)) == "block"


def test_a_parameter_cannot_pass_for_a_template() -> None:
    """A script of ours with other words, or the same words with another script, is judged as what it is."""
    assert verdict_of(check("x", run("sh", "-c", files._SHA256, "guardia"))) == "block"
    assert verdict_of(check("x", run("sh", "-c", files._SHA256 + "; rm -rf /", "guardia", f"{HOME}/x"))) == "block"
    assert verdict_of(check("x", shell("rm -rf /", files._SHA256))) == "block"
    assert verdict_of(check("x", run("rm", "-f", "--", f"{HOME}/x", "/etc/passwd"))) == "block"
    assert verdict_of(check("x", run("/srv/app/bin/other.sh"))) == "escalate"


@pytest.mark.parametrize("home", ["/", "/etc", "/usr", "/etc/app", "//", "/srv/..", "relative"])
def test_a_home_that_is_the_systems_counts_for_nothing(home: str) -> None:
    assert surroundings_of(home, (START,)).app == ()


def test_the_gate_refuses_what_is_worse_than_what_was_approved() -> None:
    approved = judge_steps([check("x", run("df", "-h"))], home=HOME, programs=[START])
    assert is_worse(["df", "-h"], approved) is None
    assert is_worse([START], approved) is None
    unknown = is_worse(["/srv/app/bin/other.sh"], approved)
    assert unknown is not None and unknown.verdict is Verdict.ESCALATE
    looked_at = judge_steps([check("x", run("/srv/app/bin/other.sh"))], home=HOME, programs=[])
    assert is_worse(["/srv/app/bin/other.sh"], looked_at) is None
    assert is_worse(["rm", "-rf", "/"], looked_at) is not None
    assert is_worse(["rm", "-rf", "/"], None) is not None, "a plan from before there were verdicts"
    assert judge_argv([], surroundings_of(HOME, ())).verdict is Verdict.BLOCK


@pytest.mark.django_db
def test_a_refused_command_makes_no_plan_and_says_where() -> None:
    tenant = Tenant()
    task = tenant.file()
    server = tenant.servers[0]
    type(server).objects.filter(pk=server.pk).update(home_dir="/etc")
    with pytest.raises(PlanRefused) as refused:
        build_document(task, playbook_for(task))
    assert refused.value.code == "command_blocked"
    assert server.hostname in str(refused.value)
    assert prepare_plan(task.pk) is None
    assert OpsTask.objects.get(pk=task.pk).status == "MAN"


def doubtful(*, path: str, free_mib: int) -> Step:
    return check("doubtful", run("/opt/tool/look", path, str(free_mib)))


@pytest.mark.django_db
def test_a_doubtful_command_asks_a_security_officer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = Tenant()
    monkeypatch.setitem(LIBRARY, "check_disk", doubtful)  # type: ignore[misc]
    task, plan = tenant.planned()
    check_of = plan.content["hosts"][tenant.servers[0].hostname]["check"]
    assert check_of["verdict"] == "escalate"
    assert [finding["step"] for finding in check_of["found"]] == ["doubtful"]
    last = ApprovalStep.objects.filter(round__task=task).order_by("order").last()
    assert last is not None
    assert (last.role, last.approver, last.is_automatic, last.needs_reauthentication) == (
        "SECURITY_OFFICER",
        tenant.security,
        False,
        True,
    )


@pytest.mark.django_db
def test_a_plain_plan_asks_nobody_more() -> None:
    task, plan = Tenant().planned()
    assert {host["check"]["verdict"] for host in plan.content["hosts"].values()} == {"allow"}
    assert not ApprovalStep.objects.filter(round__task=task, role="SECURITY_OFFICER").exists()
