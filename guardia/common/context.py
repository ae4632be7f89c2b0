"""What is going on in this thread or coroutine: ids for the logs, and from where the caller came for the chain."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trace:
    """Empty text means: not known here."""

    request_id: str = ""
    source_ip: str = ""
    channel: str = ""
    task_id: str = ""
    run_id: str = ""


_trace: ContextVar[Trace] = ContextVar("guardia_trace", default=Trace())  # noqa: B039 - frozen, safe to share


_memory: ContextVar[dict[Hashable, Any] | None] = ContextVar("guardia_memory", default=None)


def current_trace() -> Trace:
    return _trace.get()


@contextmanager
def traced(**fields: str) -> Iterator[None]:
    """Set the named fields of the trace for the duration of the block."""
    token = _trace.set(replace(_trace.get(), **fields))
    try:
        yield
    finally:
        _trace.reset(token)


@contextmanager
def remembering() -> Iterator[None]:
    """Within the block, what `remembered` has read once isn't read again: a page asks the same many times."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def remembered(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives, or gave before for this key in the same `remembering`; outside of one it is always read."""
    memory = _memory.get()
    if memory is None:
        return read()
    if key not in memory:
        memory[key] = read()
    return cast(T, memory[key])
