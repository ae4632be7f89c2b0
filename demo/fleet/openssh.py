"""Hosts served by OpenSSH's sshd, one unprivileged configuration and foreground process per host."""

import os
import pwd
import re
import subprocess
from pathlib import Path

from demo.fleet.backends import find_sshd
from demo.fleet.children import Child, Children
from demo.fleet.errors import FleetError
from demo.fleet.processes import MARKER
from demo.fleet.tree import HostTree

# Fast and patient with many connections at once; one key, one user, nothing of the machine's own configuration. HOME is
# the host's: else the user's own ~/.bashrc would run before every command and speak in its output.
_CONFIG = """\
ListenAddress {address}:{port}
HostKey "{ssh}/host_key"
AuthorizedKeysFile "{authorized_keys}"
AllowUsers {user}
SetEnv "{marker}={home}" "HOME={root}" "PATH={path}"
PermitUserRC no
PidFile none
UsePAM no
UseDNS no
StrictModes no
PermitRootLogin prohibit-password
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 1000:30:2000
MaxSessions 100
LoginGraceTime 30
AllowTcpForwarding no
AllowAgentForwarding no
X11Forwarding no
PrintMotd no
PrintLastLog no
LogLevel ERROR
Subsystem sftp internal-sftp
"""
_PENALTIES_SINCE = (9, 8)


def start_sshd(children: Children, tree: HostTree, *, penalties: bool) -> Child:
    """Start the host's sshd; its messages go to `ssh/sshd.log`. `penalties`: the server knows PerSourcePenalties."""
    config = tree.ssh / "sshd_config"
    # Every failed log-in of a test comes from the same address; the default would lock that address out.
    config.write_text(_render(tree) + ("PerSourcePenalties no\n" if penalties else ""), encoding="utf-8")
    command = [str(find_sshd()), "-D", "-e", "-f", str(config)]
    with (tree.ssh / "sshd.log").open("ab") as log:
        env = {MARKER: str(tree.home), "PATH": os.defpath}
        return children.spawn(command, env=env, bound=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def prepare_machine() -> bool:
    """Make the folder sshd wants as root; returns whether this version has per-source penalties."""
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    answer = subprocess.run([str(find_sshd()), "-V"], capture_output=True, text=True, timeout=10, check=False)
    version = re.search(r"OpenSSH_(\d+)\.(\d+)", answer.stderr + answer.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= _PENALTIES_SINCE


def _render(tree: HostTree) -> str:
    if re.search(r'["\\\n]', str(tree.root)):
        raise FleetError(f"the path {tree.root} can't be written in an sshd configuration")
    return _CONFIG.format(
        address=tree.spec.address,
        port=tree.spec.ssh_port,
        root=tree.root,
        path=tree.path,
        ssh=tree.ssh,
        authorized_keys=str(tree.ssh / "authorized_keys").replace("%", "%%"),
        user=pwd.getpwuid(os.getuid()).pw_name,
        marker=MARKER,
        home=tree.home,
    )
