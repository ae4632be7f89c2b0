"""pyinfra's own program, as its users run it: `pyinfra INVENTORY exec` for A, a deploy file for B. With its start."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from demo.bench.peers.tools.pyinfra_data import data_of
from demo.bench.peers.tools.work import AT_ONCE, Job, tell

PROGRAM = Path(sys.executable).parent / "pyinfra"
DEPLOY = """\
from pyinfra import host
from pyinfra.operations import files, server

for line in host.data.lines:
    if line:
        server.shell(commands=[line])
    else:
        files.put(src=host.data.artefact, dest=host.data.incoming)
"""


def run(job: Job) -> int:
    with tempfile.TemporaryDirectory() as folder:
        inventory, deploy = Path(folder) / "inventory.py", Path(folder) / "deploy.py"
        hosts = [
            (
                host.name,
                {
                    **data_of(host),
                    "lines": job.steps(host),
                    "artefact": job.artefact,
                    "incoming": job.incoming(host),
                },
            )
            for host in job.hosts
        ]
        inventory.write_text(f"hosts = {hosts!r}\n", encoding="utf-8")
        deploy.write_text(DEPLOY, encoding="utf-8")
        what = ["exec", "--", "true"] if job.work == "A" else [str(deploy)]
        command = [str(PROGRAM), "-y", "--parallel", str(AT_ONCE), str(inventory), *what]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    return len(job.hosts)


tell(run)
