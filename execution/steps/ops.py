"""The few operations that steps are made of. A plan holds them as JSON, and the engine does exactly these.

A part of a command is text, or `{"saved": name}`: what an earlier operation on the same host has saved (digits only).
"""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict


class SavedPart(TypedDict):
    saved: str


Part = str | SavedPart


class Expect(TypedDict, total=False):
    """What must hold after a command; an absent key means "don't care", an empty expectation means exit status 0."""

    any_exit: bool
    equals: Part
    differs: Part
    contains: str
    lacks: str
    at_least: int
    at_most: int
    number: bool


class Exec(TypedDict):
    """Run one command; `pause_ms` repeats it after each such pause until it meets the expectation or time is up.
    `on` names the balancer's host where it runs instead of the host itself."""

    op: Literal["exec"]
    argv: list[Part]
    expect: Expect
    seconds: int
    pause_ms: NotRequired[int]
    save: NotRequired[str]
    on: NotRequired[str]


class Upload(TypedDict):
    op: Literal["upload"]
    sha256: str
    size: int
    path: str
    seconds: int


class TcpOpen(TypedDict):
    """The service's port takes a connection, from the worker's side."""

    op: Literal["tcp"]
    port: int
    seconds: int


class HttpGet(TypedDict):
    """The service answers a GET with this status, from the worker's side; where named, in time, with this text, and so
    many times in a row (a fifth of a second apart): a service that flaps isn't well."""

    op: Literal["http"]
    port: int
    path: str
    status: int
    seconds: int
    within_ms: NotRequired[int]
    contains: NotRequired[str]
    times: NotRequired[int]


class Tls(TypedDict):
    """A TLS handshake shows the certificate with this SHA-256 (of its DER form), from the worker's side."""

    op: Literal["tls"]
    port: int
    name: str
    sha256: str
    seconds: int


class Reconnect(TypedDict):
    """The line is given up and opened anew, again and again until the command meets the expectation or time is up."""

    op: Literal["reconnect"]
    argv: list[Part]
    expect: Expect
    seconds: int
    pause_ms: int


class FactsOp(TypedDict):
    """Ask what the host is like and compare it with `expects` (`execution.facts.compare.Expects`)."""

    op: Literal["facts"]
    argv: list[Part]
    expects: dict[str, Any]
    seconds: int


class Hex(TypedDict):
    """Text that arrives as hexadecimal digits, so that nothing on its way reads it."""

    hex: str


class Rows(TypedDict):
    """The rows of an artefact, as INSERTs of quoted values."""

    rows: dict[str, Any]


SqlPart = str | Hex | Rows
Show = Literal["text", "value", "table"]


class Sql(TypedDict):
    """Run a database's client on the host with `script` as its input; `log_in` says how it takes the password, if any.

    Of `table` output only bounded rows are kept, beside the step and not in it; of `value`, what a check found. A
    labelled operation doesn't stop the others: the step fails after them. `refusals` are the reasons of our own that
    the script may give.
    """

    op: Literal["sql"]
    argv: list[str]
    script: list[SqlPart]
    dialect: str
    log_in: str
    expect: Expect
    seconds: int
    show: Show
    refusals: list[str]
    label: NotRequired[str]
    asked: NotRequired[str]
    rows: NotRequired[int]
    masked: NotRequired[bool]


Op = Exec | Upload | TcpOpen | HttpGet | Tls | Reconnect | FactsOp | Sql


def run(
    *argv: Part, expect: Expect | None = None, seconds: int = 30, pause_ms: int = 0, save: str = "", on: str = ""
) -> Exec:
    """An `exec` operation. Without an expectation the exit status must be 0."""
    op: Exec = {"op": "exec", "argv": list(argv), "expect": expect or {}, "seconds": seconds}
    if pause_ms:
        op["pause_ms"] = pause_ms
    if save:
        op["save"] = save
    if on:
        op["on"] = on
    return op


def shell(script: str, *args: Part, **options: Any) -> Exec:
    """A constant POSIX script with its values as positional parameters: the script is never built from values."""
    return run("sh", "-c", script, "guardia", *args, **options)


def saved(name: str) -> SavedPart:
    return {"saved": name}


class Step(TypedDict):
    """One step as it stands in a plan.

    `probe` tells whether the step's state already holds (None: it changes nothing, so it can simply be done again);
    `is_repeatable`: may be done again once the probe has said that the state doesn't hold; `changes`: whether it
    changes the host; `undo` must be right however far the step came. `undo_probe` and `is_undo_repeatable` say the
    same of the undo (an empty probe: doing it again does no harm).

    Operations that save a value stand before the first one that changes the host: where the value is missing
    afterwards, nothing was changed (`execution.steps.saving`).
    """

    name: str
    apply: Sequence[Op]
    probe: Sequence[Op] | None
    undo: Sequence[Op]
    undo_probe: Sequence[Op]
    is_repeatable: bool
    is_undo_repeatable: bool
    changes: bool


def check(name: str, *apply: Op) -> Step:
    """A step that only looks."""
    return {
        "name": name,
        "apply": apply,
        "probe": None,
        "undo": (),
        "undo_probe": (),
        "is_repeatable": True,
        "is_undo_repeatable": True,
        "changes": False,
    }


def change(
    name: str,
    *apply: Op,
    probe: Sequence[Op],
    undo: Sequence[Op] = (),
    undo_probe: Sequence[Op] = (),
    is_repeatable: bool = True,
    is_undo_repeatable: bool = True,
) -> Step:
    """A step that changes the host."""
    return {
        "name": name,
        "apply": apply,
        "probe": probe,
        "undo": undo,
        "undo_probe": undo_probe,
        "is_repeatable": is_repeatable,
        "is_undo_repeatable": is_undo_repeatable,
        "changes": True,
    }
