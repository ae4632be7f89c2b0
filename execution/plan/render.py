"""Operations as people read them: the very commands, one line each."""

from collections.abc import Iterable, Mapping
from typing import Any

from execution.ssh.quoting import render


def commands_of(ops: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line per operation. A saved value is shown as `<name>`, since it isn't known yet."""
    return [_line(op) for op in ops]


def _line(op: Mapping[str, Any]) -> str:
    if op["op"] == "exec":
        return render([part if isinstance(part, str) else f"<{part['saved']}>" for part in op["argv"]])
    if op["op"] == "sql":
        return "\n".join([render([op["argv"][0], "…", *op["argv"][4:]]), *_script(op["script"])])
    if op["op"] == "upload":
        return f"sftp put {op['sha256'][:12]}… ({op['size']} bytes) → {op['path']}"
    if op["op"] == "http":
        return f"GET :{op['port']}{op['path']} → {op['status']}"
    return f"connect :{op['port']}"


def _script(parts: Iterable[Any]) -> list[str]:
    """The SQL as it is meant; what is sent as hexadecimal is shown as text, and a file's rows by its digest."""
    text = "".join(part if isinstance(part, str) else part.get("hex") or _rows(part["rows"]) for part in parts)
    return [f"  {line}" for line in text.splitlines()]


def _rows(rows: Mapping[str, Any]) -> str:
    return f"INSERT the rows of {rows['sha256'][:12]}… ({', '.join(rows['columns'])})\n"
