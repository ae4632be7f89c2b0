"""Operations as people read them: the very commands, one line each."""

from collections.abc import Iterable, Mapping
from typing import Any

from execution.facts.compare import lines_of
from execution.ssh.quoting import render
from execution.steps.scripting import readable


def commands_of(ops: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line per operation. A saved value is shown as `<name>`, since it isn't known yet; what a command has encoded
    is decoded below it; before what runs on a balancer's host stands that host."""
    return [_line(op) for op in ops]


def _line(op: Mapping[str, Any]) -> str:
    if op["op"] == "sql":
        return "\n".join([render([op["argv"][0], "…", *op["argv"][4:]]), *_script(op["script"])])
    if op["op"] == "facts":
        return "\n".join([render(op["argv"]), *(f"  {line}" for line in lines_of(op["expects"]))])
    if op["op"] in ("exec", "reconnect"):
        line = render([part if isinstance(part, str) else f"<{part['saved']}>" for part in op["argv"]])
        if text := readable(op["argv"]):
            line = f"{line}\n{text}"
        if "on" in op:
            return f"{op['on']}: {line}"
        return line if op["op"] == "exec" else f"reconnect, {line}"
    if op["op"] == "upload":
        return f"sftp put {op['sha256'][:12]}… ({op['size']} bytes) → {op['path']}"
    if op["op"] == "http":
        limits = [f"≤ {op['within_ms']} ms"] if "within_ms" in op else []
        limits += [f"“{op['contains']}”"] if "contains" in op else []
        limits += [f"{op['times']} ×"] if "times" in op else []
        return ", ".join([f"GET :{op['port']}{op['path']} → {op['status']}", *limits])
    if op["op"] == "tls":
        return f"TLS :{op['port']} {op['name']} → SHA-256 {op['sha256']}"
    return f"connect :{op['port']}"


def _script(parts: Iterable[Any]) -> list[str]:
    """The SQL as it is meant; what is sent as hexadecimal is shown as text, and a file's rows by its digest."""
    text = "".join(part if isinstance(part, str) else part.get("hex") or _rows(part["rows"]) for part in parts)
    return [f"  {line}" for line in text.splitlines()]


def _rows(rows: Mapping[str, Any]) -> str:
    return f"INSERT the rows of {rows['sha256'][:12]}… ({', '.join(rows['columns'])})\n"
