"""Steps on the host's firewall: firewalld, nftables or iptables, whichever rules there; now and after a reboot."""

from execution.steps.arguments import absolute, network, one_of, word
from execution.steps.arguments import port as checked_port
from execution.steps.ops import Step, change, saved
from execution.steps.scripts import scripted

_OPEN = "3"  # now (1) and after a reboot (2)


def port_open(
    *, port: int, name: str, protocol: str = "tcp", source: str = "", tool: str = "auto", rules: str = ""
) -> Step:
    """The port takes connections (from `source`). Undone, only what we opened is closed again."""
    at, before = _rule(port, name, protocol, source, tool, rules), f"open_before_{port}_{protocol}"
    return change(
        "port_open",
        scripted("port", "bits", *at, expect={"number": True}, save=before),
        scripted("port", "open", *at, seconds=60),
        probe=[scripted("port", "bits", *at, expect={"equals": _OPEN})],
        undo=[scripted("port", "undo_open", *at, saved(before), seconds=60)],
    )


def port_close(
    *, port: int, name: str, protocol: str = "tcp", source: str = "", tool: str = "auto", rules: str = ""
) -> Step:
    """The opening is gone. With nftables and iptables: the one that was made under this name."""
    at, before = _rule(port, name, protocol, source, tool, rules), f"closed_before_{port}_{protocol}"
    return change(
        "port_close",
        scripted("port", "bits", *at, expect={"number": True}, save=before),
        scripted("port", "close", *at, seconds=60),
        probe=[scripted("port", "bits", *at, expect={"equals": "0"})],
        undo=[scripted("port", "undo_close", *at, saved(before), seconds=60)],
    )


def _rule(port: int, name: str, protocol: str, source: str, tool: str, rules: str) -> tuple[str, ...]:
    return (
        one_of(tool, "auto", "firewalld", "nftables", "iptables"),
        str(checked_port(port)),
        one_of(protocol, "tcp", "udp"),
        network(source),
        word(name),
        rules and absolute(rules),
    )
