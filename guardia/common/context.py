"""What is going on in this thread or coroutine: ids for the logs, and from where the caller came for the chain."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Trace:
    """Empty text means: not known here."""

    request_id: str = ""
    source_ip: str = ""
    channel: str = ""
    task_id: str = ""
    run_id: str = ""


_trace: ContextVar[Trace] = ContextVar("guardia_trace", default=Trace())  # noqa: B039 - frozen, safe to share


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
