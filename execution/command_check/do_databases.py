"""Clients of databases: the statements that they are given go to `sql`."""

import re
from collections.abc import Sequence

from execution.command_check.context import Context, is_static
from execution.command_check.hosts import check_server
from execution.command_check.options import check_operands, parse, spec_of
from execution.command_check.paths import check_output
from execution.command_check.sql import judge_sql
from execution.command_check.verdict import Verdict
from execution.command_check.words import shown

_PSQL = spec_of(
    "AtqxXnEwW1l",
    "h:H d:A pUFPR:x c:x",
    "host=H port=x username=x dbname=A command=x tuples-only no-align no-psqlrc csv quiet expanded no-password pset=x version",
    "A x",
)
_MYSQL = spec_of(
    "BNstEvrXVq",
    "h:H uPDS:x e:x",
    "host=H user=x port=x database=x execute=x batch skip-column-names table vertical version defaults-group-suffix=x protocol=x connect-timeout=n login-path=x default-character-set=x safe-updates",
    "x*",
)
_SQLITE = spec_of("", "", "readonly header noheader csv column line list json bail batch version separator=x", "x*")
_META = re.compile(r"\\(d[a-zA-Z]*\+?|l\+?|conninfo|x|timing|q|z|sf?|encoding|dt\+?)(\s+[\w.*\"]+)?\s*;?")
_VISITS = 60  # of the budget: a statement costs as much as so many commands
_DOTS = re.compile(r"\.(tables|schema|indexes|indices|databases|dbinfo|mode \w+|headers (on|off))(\s+[\w%]+)?")


def statements(context: Context, text: str, dialect: str) -> None:
    if not is_static(text):
        context.escalate("a statement that isn't fixed")
    context.budget.visits -= _VISITS
    if context.budget.visits < 0:
        context.escalate("too much to be looked at")
        return
    judgement = judge_sql(text, dialect=dialect, technical=context.surroundings.technical_tables)
    if judgement.verdict > Verdict.ALLOW:
        context.findings.add(judgement.verdict, judgement.reason)


def psql(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _PSQL)
    check_operands(context, argv[0], parsed["operands"], _PSQL.operands)
    given = [value for name, value in parsed["options"] if name in ("c", "command")]
    for value in given:
        if value.lstrip().startswith("\\"):
            if not _META.fullmatch(value.strip()):
                context.block("a command of psql that isn't a look")
        else:
            statements(context, value, "postgres")
    is_list = any(name in ("l", "version") for name, _value in parsed["options"])
    _from_stdin(context, given, "postgres", is_list=is_list)


def mysql(context: Context, argv: Sequence[str]) -> None:
    words = [word for word in argv if not re.fullmatch(r"-p.*|--password(=.*)?", word)]
    parsed = parse(context, words, _MYSQL)
    given = [value for name, value in parsed["options"] if name in ("e", "execute")]
    for value in given:
        statements(context, re.sub(r"\s*\\[gG]\s*;?\s*$", ";", value), "mysql")
    _from_stdin(context, given, "mysql", is_list=any(name in ("V", "version") for name, _value in parsed["options"]))


def sqlite(context: Context, argv: Sequence[str]) -> None:
    words = [argv[0], *(f"-{word}" if re.fullmatch(r"-[a-z]{2,}", word) else word for word in argv[1:])]
    operands = parse(context, words, _SQLITE)["operands"]
    for value in operands[1:]:
        if value.startswith("."):
            if not _DOTS.fullmatch(value):
                context.block("a command of sqlite3 that isn't a look")
        else:
            statements(context, value, "sqlite")
            if re.search(r"(?i)\bvacuum\b", value):  # there, it writes the whole file anew
                context.escalate("changes the database: vacuum")
    _from_stdin(context, operands[1:], "sqlite")


_SQLPLUS_LINE = re.compile(
    r"\s*(set (lines(ize)?|pages(ize)?|head(ing)?|feed(back)?|ver(ify)?|echo|long|trim(spool|out)?|tab|colsep|timing|time|termout|numwidth)\s+[\w|' ]+"
    r"|col(umn)?\s+[\w$#\" ]+|prompt.*|exit|quit|show (user|parameter \w+|con_name|sga))\s*;?\s*",
    re.IGNORECASE,
)


def sqlplus(context: Context, argv: Sequence[str]) -> None:
    for word in argv[1:]:
        if word.startswith("@"):
            context.escalate("runs a script of SQL*Plus")
        elif match := re.search(r"@(?://)?([\w.-]+)[:/]", word):
            check_server(context, match[1])
    text = context.stdin.text
    if text is None:
        if argv[1:] not in (["-v"], ["-V"]):
            context.escalate("a session of SQL*Plus")
        return
    rest = "\n".join(line for line in text.splitlines() if not _SQLPLUS_LINE.fullmatch(line))
    statements(context, rest.replace("\n/\n", ";\n"), "oracle")


_SQLCMD = spec_of("EWbIC", "S:x d:x U:x P:x Q:x h:n s:x w:n l:n y:n Y:n", "", "")


def sqlcmd(context: Context, argv: Sequence[str]) -> None:
    """The client of SQL Server, with its question; a line of its own command may start another program."""
    options = dict(parse(context, argv, _SQLCMD)["options"])
    server = re.sub(r"[,\\\\].*", "", options.get("S", "."))
    if server != ".":
        check_server(context, server)
    asked = options.get("Q", "")
    if not asked or context.stdin.is_piped:
        context.escalate("a session on a database")
    if re.search(r"(^|\n)\s*(:|!!|ed\b|go\b)|\$\(", asked, re.IGNORECASE):
        context.block("a command of the client, or one that hides in a comment")
    statements(context, asked, "tsql")


_RMAN = re.compile(r"(list|report|show)\s[\w\s'/:,.=()-]*|exit|quit|", re.IGNORECASE)


def rman(context: Context, argv: Sequence[str]) -> None:
    text = context.stdin.text
    parts = re.split(r"[;\n]", text or "host")
    if argv[1:] not in (["target", "/"], ["target=/"]) or not all(_RMAN.fullmatch(part.strip()) for part in parts):
        context.escalate(f"a console that isn't asked for a look: {argv[0]}")


_MONGO = re.compile(
    r"(?:rs\.(?:status|conf|hello|isMaster|printReplicationInfo|printSecondaryReplicationInfo)\(\)|db\.(?:serverStatus|stats|version|hello|isMaster|hostInfo"
    r"|getCollectionNames|currentOp)\(\)|db\.\w+\.(?:count|countDocuments|estimatedDocumentCount|stats|getIndexes|totalSize)\(\)|sh\.status\(\)|show dbs|show collections)"
    r"(?:\.(?!\w+\()\w+)*;?"
)


def mongo(context: Context, argv: Sequence[str]) -> None:
    rest = [word for word in argv[1:] if word != "--quiet"]
    if "--eval" not in rest[:-1]:
        context.block(f"{argv[0]}: destroys data of a middleware")
        return
    at = rest.index("--eval")
    asked = re.sub(r"^(?:printjson|print|JSON\.stringify)\((.*)\);?$", r"\1", rest[at + 1].strip())
    others = rest[:at] + rest[at + 2 :]
    if (
        context.stdin.is_piped
        or not _MONGO.fullmatch(asked)
        or any(not re.fullmatch(r"[a-z]\w*", word) for word in others)
    ):
        context.block(f"{argv[0]}: destroys data of a middleware")


_CSQL = spec_of("CSltsN", "u:x p:x c:x", "user=x password=x command=x", "A")


def csql(context: Context, argv: Sequence[str]) -> None:
    """The client of CUBRID; a line that begins with `;` is a command of its own."""
    parsed = parse(context, argv, _CSQL)
    check_operands(context, argv[0], parsed["operands"], _CSQL.operands)
    given = [value for name, value in parsed["options"] if name in ("c", "command")]
    for value in [*given, context.stdin.text or ""]:
        if re.search(r"(^|\n)\s*;", value):
            context.block("a command of the client, or one that hides in a comment")
        elif value in given:
            statements(context, value, "oracle")
    _from_stdin(context, given, "oracle")


def _from_stdin(context: Context, given: Sequence[str], dialect: str, *, is_list: bool = False) -> None:
    """`is_list`: the client shows something by itself, and doesn't wait for statements."""
    if context.stdin.text is not None:
        statements(context, context.stdin.text, dialect)
    elif context.stdin.is_piped:
        context.block("statements that come out of a pipe")
    elif not given and not is_list:
        context.escalate("a session on a database")


_REDIS = frozenset(
    [
        "ping",
        "info",
        "dbsize",
        "lastsave",
        "role",
        "time",
        "ttl",
        "pttl",
        "exists",
        "type",
        "llen",
        "scard",
        "hlen",
        "zcard",
        "strlen",
        "slowlog",
        "memory",
        "client",
        "config",
        "latency",
        "cluster",
        "command",
        "sentinel",
    ]
)
_REDIS_SECOND = {
    "slowlog": {"get", "len"},
    "memory": {"stats", "usage", "doctor"},
    "client": {"list", "info", "id"},
    "latency": {"latest", "doctor", "history"},
    "cluster": {"info", "nodes", "slots"},
    "command": {"count"},
    "sentinel": {"masters", "master", "slaves", "get-master-addr-by-name"},
    "config": {"get"},
}
_REDIS_SPEC = spec_of(
    "",
    "h:H p:n n:n i:n",
    "no-auth-warning stat latency latency-history latency-dist bigkeys memkeys hotkeys raw no-raw",
    "x*",
)


def redis(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _REDIS_SPEC)
    words = [word.lower() for word in parsed["operands"]]
    if not words:
        if not parsed["options"] or context.stdin.is_piped:
            context.escalate("a session on Redis")
        return
    second = _REDIS_SECOND.get(words[0])
    if words[0] not in _REDIS or (second is not None and words[1:2] and words[1] not in second):
        context.block(f"Redis: {shown(words[0])} isn't a look")
    if words[0] == "config" and (
        len(words) != 3 or not re.fullmatch(r"[a-z-]+", words[2]) or re.search("pass|auth", words[2])
    ):
        context.escalate("shows settings of Redis")


def dump(context: Context, argv: Sequence[str]) -> None:
    """A dump holds everything: an extra approval where it goes to the back-up, refused elsewhere."""
    files = [word for word in argv[1:] if word.startswith(("-f/", "--file=", "--result-file="))]
    for word in files:
        check_output(context, word.split("=", 1)[-1].removeprefix("-f"))
    context.escalate("dumps a database")


HANDLERS = {
    "psql": psql, "mysql": mysql, "mariadb": mysql, "sqlite3": sqlite, "sqlplus": sqlplus, "tbsql": sqlplus, "csql": csql, "sqlcmd": sqlcmd, "rman": rman,
    "mongo": mongo, "mongosh": mongo, "redis-cli": redis,
    "mysqldump": dump, "mariadb-dump": dump, "pg_dump": dump, "pg_dumpall": dump,
}  # fmt: skip
