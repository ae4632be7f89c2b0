"""Parts of a chain found by processes beside this one, which see what its transaction sees.

The other end is `part_process`: a line of JSON for each part that is asked for, a line and the hashes in return.
"""

import json
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator
from itertools import chain as joined
from itertools import cycle

from django.conf import settings
from django.db import connection

from audit.verifying.parts import HASH_BYTES, Part, Range, part_of
from audit.verifying.rows import lines_between

logger = logging.getLogger(__name__)
_MOST = 4
_SECONDS_TO_END = 5


def processors() -> int:
    """How many processes are worth while."""
    return min(len(os.sched_getaffinity(0)), _MOST)


def parts_here(asked: Iterator[Range]) -> Generator[Part | None]:
    """The parts in order, read over this process's own connection."""
    with connection.cursor() as cursor:
        for one in asked:
            yield part_of(one, lines_between(cursor.cursor, one.chain_pk, one.after, one.upto))


def parts_beside(asked: Iterator[Range], count: int) -> Generator[Part | None]:
    """The parts in order, found by `count` processes. Should one end, the rest is read here. Ends them when closed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        [snapshot] = cursor.fetchone()
    helpers = list[_Helper]()
    ahead = deque[tuple[_Helper, Range]]()
    try:
        for _ in range(count):
            helpers.append(_Helper(snapshot))
            helpers[-1].begin()
        for helper, one in zip(cycle(helpers), asked, strict=False):
            ahead.append((helper, one))
            helper.ask(one)
            if len(ahead) == 2 * count:
                yield _first(ahead)
        while ahead:
            yield _first(ahead)
    except (OSError, ValueError) as error:
        logger.warning("a process that verifies beside this one ended: %s", error)
        yield from parts_here(joined([one for _helper, one in ahead], asked))
    finally:
        for helper in helpers:
            helper.end()


def _first(ahead: "deque[tuple[_Helper, Range]]") -> Part | None:
    part = ahead[0][0].answer()
    ahead.popleft()
    return part


class _Helper:
    """One process, with a connection of its own. Raises OSError or ValueError when it has ended or can't begin."""

    def __init__(self, snapshot: str) -> None:
        self._snapshot = snapshot
        command = [sys.executable, "-m", "audit.verifying.part_process"]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def begin(self) -> None:
        """Tell it where to look, by its pipe: others could read arguments."""
        parameters = connection.get_connection_params()
        plain = {name: value for name, value in parameters.items() if isinstance(value, str | int)}
        self._say({"connection": plain, "snapshot": self._snapshot})

    def _say(self, value: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()

    def ask(self, one: Range) -> None:
        self._say(one)

    def answer(self) -> Part | None:
        """Of the part that was asked for first."""
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        if said is None:
            return None
        prev_hash, count = said
        hashes = self._process.stdout.read(HASH_BYTES * count)
        if len(hashes) != HASH_BYTES * count:
            raise ValueError("it ended in the middle")
        return Part(prev_hash, [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])

    def end(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=_SECONDS_TO_END)
