"""One `sql` operation on an open connection: the password, the script, and what comes back.

The database's credential is opened here, for one call, and goes to the host as the first line of standard input.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cmdb.models import Credential
from cmdb.vault import unseal
from execution.exceptions import StepFailed
from execution.ssh.connection import Connection
from execution.ssh.result import CommandResult
from execution.steps.arguments import BadArgument
from execution.steps.expect import unmet
from execution.steps.sql.client import log_in_line
from execution.steps.sql.looking import SPEAKERS
from execution.steps.sql.results import Found, complaint, read_table
from execution.steps.sql.rows import LARGEST_FILE, insert_statements, read_rows
from guardia.common.errors import GuardiaError
from guardia.common.masking import MASK, hide_personal
from tickets.models.artefact import stored_path

_SHORTEST_SECRET = 3  # shorter ones would mask half of every output


@dataclass(frozen=True, slots=True)
class Answer:
    result: CommandResult
    problem: str
    said: str
    """What may stand in the step's output."""
    found: Found | None = None


def ask_database(connection: Connection, op: Any, spec: Mapping[str, Any]) -> Answer:
    """Run the client. Raises StepFailed where it can't be asked, and SshError."""
    password = _password(spec) if op["log_in"] else ""
    try:
        script = "".join(_text_of(part, op) for part in op["script"])
        first = f"{log_in_line(op['log_in'], password)}\n" if password else ""
    except BadArgument as error:
        raise StepFailed(str(error), code="sql_refused") from error
    result = connection.run(op["argv"], deadline=op["seconds"], stdin=(first + script).encode())
    problem = unmet(op["expect"], exit_status=result.exit_status, stdout=result.stdout, saved={})
    refusal = next((text for text in op["refusals"] if f"guardia refuses: {text}" in result.stderr), "")
    found = None
    if op["show"] == "table" and not problem:
        found, problem = _table(op, result)
    said = _said(op, result, found, problem)
    return Answer(result, refusal or problem, said.replace(password, MASK) if _is_long(password) else said, found)


def _password(spec: Mapping[str, Any]) -> str:
    named = spec["database"]
    credential = Credential.objects.get(pk=named["credential"])
    if credential.revision != named["credential_revision"]:
        raise StepFailed("the database's credential is not the approved one any more", code="credential_changed")
    try:
        return unseal(credential)
    except GuardiaError as error:
        raise StepFailed(str(error), code=error.code) from error


def _text_of(part: Any, op: Any) -> str:
    if isinstance(part, str):
        return part
    if "hex" in part:
        return str(part["hex"].encode().hex())
    wanted = part["rows"]
    try:
        with stored_path(wanted["sha256"]).open("rb") as source:
            data = source.read(LARGEST_FILE + 1)
    except OSError as error:
        raise StepFailed("the artefact is no longer in the store", code="artefact_missing") from error
    columns, rows = read_rows(data, dialect=op["dialect"], table=wanted["of"], null=wanted["null"])
    if columns != wanted["columns"] or len(rows) > wanted["most"]:
        raise BadArgument("the file has other columns, or more rows, than were approved")
    return "".join(insert_statements(SPEAKERS[op["dialect"]], wanted, rows))


def _table(op: Any, result: CommandResult) -> tuple[Found | None, str]:
    try:
        found = read_table(
            result.stdout, op["dialect"], limit=op["rows"], masked=op["masked"], truncated=result.truncated
        )
    except (ValueError, TypeError, RecursionError):
        return None, "the client's output is not a table"
    return found, ""


def _said(op: Any, result: CommandResult, found: Found | None, problem: str) -> str:
    """Rows never stand in the output, which goes into events and logs; what the client complains of does, masked."""
    if op["show"] == "value":
        label, value = op.get("label", ""), result.stdout.strip()[:200] or "–"
        return f"{label}: {hide_personal(value)} ({problem or 'OK'})\n{complaint(result.stderr)}"
    if op["show"] == "table":
        count = f"{len(found.rows)} rows{'' if found.is_complete else ', and more'}\n" if found else ""
        return count + complaint(result.stderr)
    return hide_personal(result.stdout) + complaint(result.stderr)


def _is_long(password: str) -> bool:
    return len(password) >= _SHORTEST_SECRET
