"""What comes in, and what the parser makes of it, as log lines (docs/operations.md, “Logs”).

The chain tells what became of a request; these say also what was refused and is kept nowhere else.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from guardia.common.errors import GuardiaError
from tickets.parsing.result import ParsedRequest

P = ParamSpec("P")
R = TypeVar("R")
_intake = logging.getLogger("guardia.intake")
_parser = logging.getLogger("guardia.parser")


def heard(kind: str, words: str = "text") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """One line for each call of a service that takes in what somebody sent, when it is known what became of it.
    `words` is the argument that holds it. `outcome` is `kept`, or the code of the refusal."""

    def wrapped(service: Callable[P, R]) -> Callable[P, R]:
        @wraps(service)
        def logged(*args: P.args, **given: P.kwargs) -> R:
            told = {"kind": kind, **_told(given), "outcome": "failed"}
            try:
                result = service(*args, **given)
            except GuardiaError as refusal:
                told["outcome"] = refusal.code
                raise
            else:
                told |= {"outcome": "kept", "about": str(getattr(result, "task_id", "") or told.get("about", ""))}
                return result
            finally:
                _intake.info("%s", given.get(words, ""), extra={"told": told})

        return logged

    return wrapped


def parser_said(text: str, found: ParsedRequest, seconds: float) -> None:
    """What the parser made of a text, and how long it took."""
    _parser.info("%s", text, extra={"told": {**found.to_dict(), "milliseconds": round(seconds * 1000)}})


def _told(given: dict[str, Any]) -> dict[str, Any]:
    """Who sent what else, of a service's arguments."""
    actor, artefact = given["actor"], given.get("artefact")
    told = {
        "actor": f"user:{actor.pk}:{actor.get_username()}",
        "channel": str(given.get("channel", "")),
        "about": given.get("task_id", ""),
        "system": given.get("system_code", ""),
        "servers": list(given.get("hostnames", ())),
        "sub_type": given.get("sub_type", ""),
        "params": dict(given.get("params") or {}),
    }
    if artefact is not None:
        told |= {"file": str(artefact.name), "bytes": artefact.size}
    return {name: value for name, value in told.items() if value}
