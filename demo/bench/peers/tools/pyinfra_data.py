"""How pyinfra gets to a host: its key alone, the host's own line of known hosts, no agent and no configuration."""

from demo.bench.peers.tools.work import Host


def data_of(host: Host) -> dict[str, object]:
    return {
        "ssh_hostname": host.address,
        "ssh_port": host.port,
        "ssh_user": host.user,
        "ssh_key": host.key,
        "ssh_known_hosts_file": host.known,
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "ssh_config_file": "/dev/null",
    }
