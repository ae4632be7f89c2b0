"""Real databases for the suites of the SQL steps: PostgreSQL (the wheel's, a home of its own), MariaDB (Debian's)
and SQLite, each with a password that is awkward to write, and a way around the product to fill them and to look."""

import os
import shutil
import socket as sockets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from guardia.embedded.layout import Layout
from guardia.embedded.postgres import EmbeddedPostgres

PASSWORD = "p\\a:s's \"w#ord 비밀%$(id)`x`;"
AWKWARD = ["plain", "it's", 'double"quote', "back\\slash\\", "new\nline\r\n", "\t tab ", "한글 홍길동", "\\! id",
           ".shell id", "'; DROP TABLE people; --", "%s :x :'y' $1 ?", "\x01\x1b[31m", "가" * 3000, "", "NULL",
           "emoji 🙂"]  # fmt: skip


@dataclass
class RealDatabase:
    """One database: `spec` is what a step's `database` argument holds."""

    dialect: str
    spec: dict[str, Any]
    password: str
    access: dict[str, Any] = field(default_factory=dict)
    client: list[str] = field(default_factory=list)

    def run(self, statements: str) -> str:
        """SQL of the test's own, past the product; what it prints."""
        if self.access:
            with psycopg.connect(**self.access, autocommit=True) as connection:
                cursor = connection.execute(statements)
                while cursor.nextset():
                    pass
                return "\n".join("|".join(map(str, row)) for row in cursor.fetchall()) if cursor.description else ""
        done = subprocess.run(self.client, input=statements.encode(), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").strip()

    def text(self, value: str) -> str:
        """A value as this database writes it, exactly."""
        digits = value.encode().hex()
        return {
            "postgresql": f"convert_from(decode('{digits}','hex'),'UTF8')",
            "mariadb": f"CONVERT(0x{digits} USING utf8mb4)" if digits else "''",
            "sqlite": f"CAST(x'{digits}' AS TEXT)",
        }[self.dialect]

    def fill(self, count: int = 20) -> None:
        """A table `people`: every third is `old`, every note is awkward in another way."""
        kinds = {"postgresql": "text", "mariadb": "text CHARACTER SET utf8mb4", "sqlite": "TEXT"}[self.dialect]
        engine = " ENGINE=InnoDB" if self.dialect == "mariadb" else ""
        self.clear()
        self.run(
            f"CREATE TABLE people (id integer PRIMARY KEY, name varchar(50), note {kinds}, state varchar(10)){engine};"
        )
        rows = ", ".join(
            f"({i}, {self.text(f'사람{i}')}, {self.text(AWKWARD[i % len(AWKWARD)]) if i % 7 else 'NULL'}, "
            f"'{'old' if i % 3 == 0 else 'new'}')"
            for i in range(1, count + 1)
        )
        self.run(f"INSERT INTO people VALUES {rows};")

    def clear(self) -> None:
        for table in self.tables():
            quote = "`" if self.dialect == "mariadb" else '"'
            self.run(f"DROP TABLE {quote}{table}{quote}{' CASCADE' if self.dialect == 'postgresql' else ''};")

    def tables(self) -> list[str]:
        names = {
            "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1;",
            "mariadb": "SET foreign_key_checks=0; SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = DATABASE() ORDER BY 1 DESC;",
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid DESC;",
        }
        return [line for line in self.run(names[self.dialect]).splitlines() if line]

    def dump(self, table: str = "people") -> str:
        """Every row, every byte."""
        row = {
            "postgresql": "id, encode(convert_to(name,'UTF8'),'hex'), encode(convert_to(note,'UTF8'),'hex'), state",
            "mariadb": "id, hex(name), hex(note), state, note IS NULL",
            "sqlite": "id, hex(name), hex(note), state, note IS NULL, typeof(note)",
        }[self.dialect]
        return self.run(f"SELECT {row} FROM {table} ORDER BY id;")

    def count(self, where: str = "1 = 1", table: str = "people") -> int:
        return int(self.run(f"SELECT count(*) FROM {table} WHERE {where};"))


def _spec(dialect: str, **values: Any) -> dict[str, Any]:
    empty = {"name": "main", "client": "", "host": "", "port": 0, "user": "", "log_in": False}
    return {**empty, "credential": "", "credential_revision": 0, "dialect": dialect, **values}


@contextmanager
def postgresql(home: Path) -> Iterator[RealDatabase]:
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed (postgresql-client)")
    server = EmbeddedPostgres(home)
    with server.ensure_running():
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE guardia PASSWORD {}").format(sql.Literal(PASSWORD)))
        folder = str(Layout.of(home).socket_dir)
        spec = _spec("postgresql", host=folder, database="guardia", user="guardia", log_in=True)
        access = {"host": folder, "dbname": "guardia", "user": "guardia", "password": PASSWORD}
        yield RealDatabase("postgresql", spec, PASSWORD, access=access)
        server.stop()


@contextmanager
def mariadb() -> Iterator[RealDatabase]:
    if shutil.which("mariadbd") is None or shutil.which("mysql") is None:
        pytest.skip("MariaDB is not installed (mariadb-server)")
    root = Path(tempfile.mkdtemp(prefix="guardia-mariadb-"))
    data, socket, port = root / "data", root / "s", _free_port()
    as_nobody = ["--user=nobody"] if os.geteuid() == 0 else []
    data.mkdir()
    root.chmod(0o755)
    if as_nobody:
        shutil.chown(root, "nobody")
        shutil.chown(data, "nobody")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    install = ["mariadb-install-db", "--no-defaults", *as_nobody, f"--datadir={data}", f"--tmpdir={data}"]
    subprocess.run(
        [*install, "--skip-test-db", "--auth-root-authentication-method=normal"], check=True, timeout=120, **quiet
    )
    options = [
        f"--datadir={data}",
        f"--tmpdir={data}",
        f"--socket={socket}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
    ]
    small = ["--innodb-buffer-pool-size=16M", "--skip-name-resolve", "--character-set-server=utf8mb4"]
    server = subprocess.Popen(["mariadbd", "--no-defaults", *as_nobody, *options, *small], **quiet)
    client = ["mysql", "--no-defaults", "-uroot", f"--socket={socket}", "--batch", "--skip-column-names"]
    client += ["--default-character-set=utf8mb4"]
    try:
        _wait([*client, "-e", "SELECT 1"], server)
        literal = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
        setup = f"CREATE DATABASE app; CREATE USER app@'%' IDENTIFIED BY '{literal}'; GRANT ALL ON app.* TO app@'%';"
        subprocess.run(client, input=setup.encode(), check=True, timeout=30, **quiet)
        spec = _spec("mariadb", host="127.0.0.1", port=port, database="app", user="app", log_in=True)
        yield RealDatabase("mariadb", spec, PASSWORD, client=[*client, "app"])
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(root, ignore_errors=True)


def _wait(command: list[str], server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while subprocess.run(command, capture_output=True, timeout=30).returncode != 0:
        assert server.poll() is None and time.monotonic() < ends, "MariaDB didn't start"
        time.sleep(0.1)


@contextmanager
def sqlite(folder: Path) -> Iterator[RealDatabase]:
    if shutil.which("sqlite3") is None:
        pytest.skip("sqlite3 is not installed")
    file = folder / "app.db"
    database = RealDatabase("sqlite", _spec("sqlite", database=str(file)), "", client=["sqlite3", "-batch", str(file)])
    database.run("CREATE TABLE x (y); DROP TABLE x;")
    yield database


def _free_port() -> int:
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
