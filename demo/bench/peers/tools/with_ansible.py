"""ansible-core's own programs: `ansible -m raw` or `-m command` (pipelining) for A, `ansible-playbook` for B."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from demo.bench.peers.tools.work import AT_ONCE, Host, Job, tell

PROGRAMS = Path(sys.executable).parent


def data_of(job: Job, host: Host) -> dict[str, object]:
    known = f"-o UserKnownHostsFile={host.known} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"
    return {
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_user": host.user,
        "ansible_ssh_private_key_file": host.key,
        "ansible_ssh_common_args": known,
        "ansible_python_interpreter": "/usr/bin/python3",
        "lines": job.steps(host),
        "incoming": job.incoming(host),
    }


def tasks_of(job: Job) -> list[dict[str, object]]:
    copy: dict[str, object] = {"ansible.builtin.copy": {"src": job.artefact, "dest": "{{ incoming }}"}}
    lines = job.steps(job.hosts[0])
    return [
        {"ansible.builtin.shell": f"{{{{ lines[{number}] }}}}"} if line else copy for number, line in enumerate(lines)
    ]


def run(job: Job, module: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        inventory = Path(folder) / "hosts.json"
        hosts = {host.name: data_of(job, host) for host in job.hosts}
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
        environment = {
            **os.environ,
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_FORKS": str(AT_ONCE),
            "ANSIBLE_LOCAL_TEMP": folder,
            "ANSIBLE_HOME": folder,
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
            "ANSIBLE_INVENTORY_ENABLED": "yaml",
            "LC_ALL": "C.UTF-8",
        }
        if job.work == "A":
            what = [*("-m", module), *("-a", "true"), "all"]
            command = [str(PROGRAMS / "ansible"), "-i", str(inventory), *what]
        else:
            book = Path(folder) / "book.json"
            book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks_of(job)}]))
            command = [str(PROGRAMS / "ansible-playbook"), "-i", str(inventory), str(book)]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return len(job.hosts)


tell(lambda job: run(job, sys.argv[1]))
