"""Files that several processes write: every line whole and once, through every rotation."""

import json
import logging
import multiprocessing
import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from guardia.common.log_files import SharedFileHandler
from guardia.logging_config import logging_config


def handler(path: Path, max_bytes: int = 1_000_000, days: int = 90, keep: int = 1000) -> SharedFileHandler:
    made = SharedFileHandler(path, max_bytes, days, keep)
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def say(to: SharedFileHandler, text: str) -> None:
    to.handle(logging.LogRecord("x", logging.INFO, "x.py", 1, text, (), None))


def lines(path: Path) -> list[str]:
    files = [*path.parent.glob(f"{path.name}.[0-9]*"), path]
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def _write(path: Path, writer: int, count: int) -> None:
    to = handler(path, max_bytes=20_000)
    for number in range(count):
        say(to, json.dumps({"writer": writer, "number": number, "pad": "가" * (number % 200)}, ensure_ascii=False))


def test_many_processes_and_many_rotations_lose_and_tear_nothing(tmp_path: Path) -> None:
    path, fork = tmp_path / "server.jsonl", multiprocessing.get_context("fork")
    writers = [fork.Process(target=_write, args=(path, writer, 400)) for writer in range(6)]
    for process in writers:
        process.start()
    for process in writers:
        process.join(60)
    assert [process.exitcode for process in writers] == [0] * 6
    told = [(said["writer"], said["number"]) for said in map(json.loads, lines(path))]
    assert sorted(told) == [(writer, number) for writer in range(6) for number in range(400)]
    assert len(list(tmp_path.glob("server.jsonl.[0-9]*"))) > 10


def test_it_follows_when_another_process_or_an_operator_moved_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    one, other = handler(path), handler(path)
    say(one, "first")
    say(other, "second")
    path.rename(tmp_path / "a.jsonl.1")
    say(one, "third")
    say(other, "fourth")
    assert path.read_text() == "third\nfourth\n" and (tmp_path / "a.jsonl.1").read_text() == "first\nsecond\n"


def test_a_new_day_is_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    to = handler(path)
    say(to, "yesterday")
    os.utime(path, (time.time() - 86_400,) * 2)
    say(to, "today")
    [rotated] = tmp_path.glob("a.jsonl.[0-9]*")
    assert (rotated.read_text(), path.read_text()) == ("yesterday\n", "today\n")


def test_old_and_surplus_files_go(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    old = tmp_path / "a.jsonl.20200101T000000000000"
    old.write_text("old\n")
    os.utime(old, (0, 0))
    (tmp_path / "a.jsonl.lock.note").write_text("nobody's")
    to = handler(path, max_bytes=10, days=30, keep=3)
    for number in range(8):
        say(to, f"line {number:03}")
    assert not old.exists() and (tmp_path / "a.jsonl.lock.note").exists()
    assert sorted(lines(path)) == [f"line {number:03}" for number in (4, 5, 6, 7)]


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.jsonl"
    say(handler(path), "x")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_that_cannot_be_written_stops_nothing_and_says_so_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "logs"
    blocked.write_text("a file where the folder should be")
    to = handler(blocked / "a.jsonl")
    for _ in range(3):
        say(to, "x")
    assert capsys.readouterr().err.count("can't be written") == 1
    blocked.unlink()
    say(to, "again")
    assert (blocked / "a.jsonl").read_text() == "again\n"


def test_what_goes_where() -> None:
    config = logging_config(Path("/x"), level="INFO", max_bytes=1, days=2, keep=3)
    assert {name: row["path"] for name, row in config["handlers"].items() if name != "console"} == {
        "server": "/x/server.jsonl", "intake": "/x/intake.jsonl", "parser": "/x/parser.jsonl"
    }  # fmt: skip
    assert all(row["filters"] == ["mask"] and row["formatter"] == "json" for row in config["handlers"].values())
    assert Path(settings.LOGGING["handlers"]["server"]["path"]).name == "server.jsonl"
