"""`python -m audit.verifying.part_process`: the other end of `processes`. Ends with its standard input."""

import json
import sys
from typing import BinaryIO

import psycopg

from audit.verifying.parts import Part, Range, part_of
from audit.verifying.rows import lines_between


def main(asked: BinaryIO, answers: BinaryIO) -> None:
    """First a line with the connection's parameters and the snapshot, then one for each part."""
    first = json.loads(asked.readline())
    with psycopg.connect(**first["connection"], autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(first["snapshot"]))
        for line in asked:
            one = Range(*json.loads(line))
            _answer(answers, part_of(one, lines_between(cursor, one.chain_pk, one.after, one.upto)))


def _answer(answers: BinaryIO, part: Part | None) -> None:
    said = None if part is None else (part.prev_hash, len(part.hashes))
    answers.write(json.dumps(said).encode() + b"\n")
    if part is not None:
        answers.write(b"".join(part.hashes))
    answers.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
