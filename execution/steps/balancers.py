"""A node is taken out at every balancer that sends it requests, and put back as it was there.

A balancer is a mapping, as `execution.plan.balancers` resolves it: {name, kind, on, control, backend, member, program,
seconds, others, drain, undrain, drained, used}. `on` is the host its commands run on; empty: the node itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from execution.steps.arguments import absolute, between, command, word
from execution.steps.balancing import NGINX_EDIT, UNKNOWABLE, check_peer, check_socket
from execution.steps.ops import Op, Step, change, check, run, saved
from execution.steps.scripts import scripted


@dataclass(frozen=True, slots=True)
class _Member:
    """One node at one balancer. `look` saves how it is there; an empty probe: nobody can tell."""

    look: Sequence[Op]
    out: Sequence[Op]
    is_out: Sequence[Op]
    back: Sequence[Op]
    is_back: Sequence[Op]


def drain(*, balancers: list) -> Step:
    """No balancer sends the node anything, and what was under way has ended. Nothing is done where none is named."""
    members = _members(balancers)
    if not members:
        return check("drain")
    return change(
        "drain",
        *chain(*(member.look for member in members)),
        *chain(*(member.out for member in members)),
        probe=_probe([member.is_out for member in members]),
        undo=[*chain(*([*member.back, *member.is_back] for member in members))],
        is_repeatable=all(member.is_out for member in members),
    )


def undrain(*, balancers: list) -> Step:
    """Every balancer uses the node again and finds it up, but for one where people had taken it out beforehand."""
    members = _members(balancers)
    if not members:
        return check("undrain")
    return change(
        "undrain",
        *chain(*([*member.back, *member.is_back] for member in members)),
        probe=_probe([member.is_back for member in members]),
        undo=[*chain(*(member.out for member in members))],
        is_repeatable=all(member.is_back for member in members),
    )


def _members(balancers: Sequence[Mapping[str, Any]]) -> list[_Member]:
    kinds = {"haproxy": _haproxy, "nginx": _nginx, "hook": _hook}
    return [
        kinds[row["kind"]](row, f"balancer_{place}_before", {"on": row["on"]} if row["on"] else {})
        for place, row in enumerate(balancers, start=1)
    ]


def _haproxy(row: Mapping[str, Any], before: str, where: dict[str, Any]) -> _Member:
    at = (check_socket(row["control"]), word(row["backend"]), word(row["member"]))
    seconds = between(row["seconds"], 1, 3600)
    long = {**where, "seconds": seconds + 15}
    quiet = scripted("haproxy", "sessions", *at, expect={"equals": "0"}, pause_ms=300, **long)
    return _Member(
        look=[
            scripted("haproxy", "was", *at, expect={"number": True}, save=before, **where),
            scripted("haproxy", "others", *at, expect={"at_least": between(row["others"], 0, 1000)}, **where),
        ],
        # `drain` alone lets in those who stick to the node by a cookie; `maint` sends them on after it has emptied.
        out=[
            scripted("haproxy", "drain", *at, **where),
            scripted("haproxy", "ease", *at, str(-(-seconds // 2)), **long),
            scripted("haproxy", "maint", *at, **where),
            quiet,
        ],
        is_out=[scripted("haproxy", "is_out", *at, **where), quiet],
        back=[scripted("haproxy", "back", *at, saved(before), **where)],
        is_back=[scripted("haproxy", "is_back", *at, saved(before), pause_ms=300, **long)],
    )


def _nginx(row: Mapping[str, Any], before: str, where: dict[str, Any]) -> _Member:
    at = (absolute(row["control"]), check_peer(row["member"]), row["program"] or "nginx")
    seconds = between(row["seconds"], 1, 3600)
    edit = {**where, "seconds": NGINX_EDIT}
    quiet = scripted("nginx", "old_workers", *at, expect={"equals": "0"}, seconds=seconds + 15, pause_ms=300, **where)
    return _Member(
        look=[
            scripted("nginx", "was", *at, expect={"number": True}, save=before, **where),
            scripted("nginx", "others", *at, expect={"at_least": between(row["others"], 0, 1000)}, **where),
        ],
        out=[scripted("nginx", "down", *at, **edit), quiet],
        is_out=[scripted("nginx", "is", *at, "down", **where), quiet],
        back=[scripted("nginx", "back", *at, saved(before), **edit)],
        is_back=[scripted("nginx", "is_back", *at, saved(before), **where)],
    )


def _hook(row: Mapping[str, Any], before: str, where: dict[str, Any]) -> _Member:
    def ops(name: str) -> list[Op]:
        words = command(row[name])
        return [run(*words, seconds=between(row["seconds"], 1, 3600), **where)] if words else []

    return _Member(look=[], out=ops("drain"), is_out=ops("drained"), back=ops("undrain"), is_back=ops("used"))


def _probe(parts: Sequence[Sequence[Op]]) -> list[Op]:
    return [*chain(*parts)] if all(parts) else UNKNOWABLE
