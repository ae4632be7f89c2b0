"""Hosts that a line names: whose they are, and whether their name says so."""

import ipaddress
import re

from execution.command_check.context import TAME, UNKNOWN, WILD, Context
from execution.command_check.words import shown

_LOCAL = re.compile(
    r"(localhost|127(\.\d+){3}|\[?::1\]?|10(\.\d+){3}|192\.168(\.\d+){2}|172\.(1[6-9]|2\d|3[01])(\.\d+){2})$"
)
#: A name without a domain, one of a closed network, or a socket's folder.
_OURS = re.compile(r"[\w-]+|[\w.-]+\.(local|localdomain|internal|intra|lan)|/[\w./-]*")


def is_local(host: str) -> bool:
    return bool(_LOCAL.match(host.lower()))


def check_host(context: Context, host: str) -> None:
    """Metadata services give out the keys of a machine; odd spellings hide which host is meant."""
    bare = host.strip("[]").lower().rstrip(".")
    if bare.startswith(("169.254.", "fd00:ec2", "100.100.100.200", "metadata", "fe80")):
        context.block("asks the metadata service")
    elif re.fullmatch(r"(0x[0-9a-f]+|0\d+|\d+)(\.(0x[0-9a-f]+|\d+))*", bare):
        try:
            ipaddress.IPv4Address(bare)
        except ValueError:
            context.block(f"an address in disguise: {shown(host)}")
    elif not re.fullmatch(r"[\w.:\x04\x05-]+", bare):
        context.escalate(f"a host that isn't plain: {shown(host)}")


def check_name(context: Context, host: str) -> None:
    """A name that is asked for: a value in front of a foreign domain would be told to whoever owns that."""
    if WILD in host:
        context.escalate("an argument that isn't known")
    elif re.search(rf"{TAME}.*\.[A-Za-z]", host):
        context.block("sends values in a name")


def check_servers(context: Context, value: str) -> None:
    """`host:port,host:port`"""
    for host in value.split(","):
        check_server(context, re.sub(r"(?<=[^:]):\d+$", "", host))


def check_database(context: Context, value: str) -> None:
    """A database may be named together with its server."""
    for host in re.findall(r"\bhost(?:addr)?\s*=\s*'?([^\s',]+)|://(?:[^@/]*@)?([^:/?]+)|@([\w.-]+)$", value):
        check_server(context, "".join(host))
    if re.search(r"\bservice\s*=|[?&]|\bssl\w*\s*=|passfile", value):
        context.escalate("a session on another host")


def check_server(context: Context, host: str) -> None:
    """A server that is logged in to: another one than ours would get the password and the question."""
    if host.startswith("/"):
        return
    check_host(context, host)
    if not UNKNOWN.isdisjoint(host):
        context.escalate("an address that isn't fixed")
    elif not is_local(host) and not _OURS.fullmatch(host):
        context.escalate("a session on another host")
