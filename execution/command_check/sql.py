"""Statements of SQL: read strictly, parsed by sqlglot, and let through where every part is known to be harmless."""

import logging
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from execution.command_check.sql_change import judge_change
from execution.command_check.sql_endless import asks_for_too_much
from execution.command_check.sql_names import ACTING, FIRST_BLOCKS, FUNCTIONS, GRAMMAR, LOCKS
from execution.command_check.sql_read import judge_read
from execution.command_check.sql_text import Ambiguous, Statement, Token, read_statements
from execution.command_check.verdict import Findings, Judgement, Verdict

logging.getLogger("sqlglot").setLevel(logging.ERROR)
_DIALECTS = ("postgres", "oracle", "mysql", "tsql", "sqlite")
_MAX_STATEMENTS, _MAX_TOKENS = 20, 1500
_NAME = r'[\w$.#"`]+'
#: Whole statements that only look or refresh statistics; matched against the text without comments.
_PLAIN = re.compile(
    rf"""(?ix)
      show\s+(?!.*\b(?:into|grants?|binlog|relaylog|create\s+user|conninfo|\w*conninfo|\w*passphrase\w*|all\s*$))[\w\s.$@%'`*<>=-]+ | desc(ribe)?\s+{_NAME} | explain\s+{_NAME}
    | analyze(\s+verbose)?(\s+table)?(\s+{_NAME}(\s*,\s*{_NAME})*)?(\s*\(\s*\w+(\s*,\s*\w+)*\s*\))?
    | vacuum(\s+(analyze|verbose))*(\s*\(\s*(analyze|verbose)(\s*,\s*(analyze|verbose))*\s*\))?(\s+(?!full\b|freeze\b){_NAME})?
    | check\s+table\s+{_NAME}(\s+(quick|fast|medium|extended|changed))? | checksum\s+table\s+{_NAME}
    | pragma\s+(table_info|index_list|index_info|foreign_key_list|table_xinfo)\s*\(\s*{_NAME}\s*\)
    | pragma\s+(integrity_check|quick_check|database_list|user_version|page_count|page_size|journal_mode|freelist_count|compile_options|encoding)
    | begin(\s+(transaction|work))? | start\s+transaction(\s+read\s+only)? | commit(\s+work)? | rollback(\s+work)? | end
    | exec(ute)?\s+sp_(who2?|helpdb|spaceused|help|helptext|helpindex|helpconstraint|columns|tables|lock)(\s+(N?'[\w.]+'|\w+))? | use\s+\w+
    | dbcc\s+(sqlperf\s*\(\s*'?logspace'?\s*\)|opentran|useroptions|tracestatus|loginfo|inputbuffer\s*\(\s*\d+\s*\)|show_statistics\s*\(\s*'?[\w.]+'?\s*,\s*'?\w+'?\s*\))(\s+with\s+no_infomsgs)?
    | select\s+\*\s+from\s+table\s*\(\s*dbms_xplan\.display(_cursor|_awr)?(\s*\((\s*('[\w\ +-]*'|\d+|null)\s*(,(?=\s*['\dn])|(?=\)))){{1,3}}\))?\s*\)
    | update\s+statistics\s+{_NAME}
    | set\s+(timing|linesize|pagesize)\s+\w+"""
)
_CLIENT_LOOKS = re.compile(
    r"\\(d[a-zA-Z]*\+?|l\+?|conninfo|x|timing)(\s+[\w.*]+)?\s*|\.(tables|schema|indexes|databases)(\s+\w+)?\s*"
)
_EXPLAIN = re.compile(
    r"(?is)explain\s+(plan\s+(set\s+statement_id\s*=\s*'\w+'\s+)?for\s+|query\s+plan\s+|(analyze\s+|verbose\s+|extended\s+|partitions\s+|format\s*=\s*\w+\s+)*"
    r"(\(\s*[\w\s,]+\)\s*)?)(?=select|with|delete|update|insert|merge|replace|\()"
)
_HIDDEN = re.compile(
    r"/\*[!M]|^\s*(\\|\.\w|@|!|host\b|spool\b)|\n\s*(\\[!\w]|@|!|host\s|spool\s)|\\[!gow]|(?i:^\s*delimiter\b|xp_cmdshell|into\s+(out|dump)file)"
)


def judge_sql(text: str, *, dialect: str = "", technical: frozenset[str] = frozenset()) -> Judgement:
    """The worst of the statements; `dialect` is tried first where it is known."""
    findings = Findings()
    if _CLIENT_LOOKS.fullmatch(text):
        return findings.worst
    if _HIDDEN.search(text):
        return Judgement(Verdict.BLOCK, "a command of the client, or one that hides in a comment")
    try:
        statements = read_statements(text)
    except Ambiguous as at:
        is_bad = re.search(r"(?i)\b(drop|delete|truncate|update|alter|grant|exec|copy|insert|into|load)\b", text)
        return Judgement(
            Verdict.BLOCK if is_bad else Verdict.ESCALATE, f"databases read this differently: {str(at)[:10]!r}"
        )
    if not statements or len(statements) > _MAX_STATEMENTS or sum(len(s.tokens) for s in statements) > _MAX_TOKENS:
        return Judgement(Verdict.ESCALATE, "nothing, or too much, to be looked at")
    for statement in statements:
        _judge(statement, dialect, technical, findings)
    return findings.worst


def _judge(statement: Statement, dialect: str, technical: frozenset[str], findings: Findings) -> None:
    explained = _EXPLAIN.match(statement.text)
    if explained:
        runs = re.search(r"(?i)\banalyze\b", explained[0])
        inner = read_statements(statement.text[explained.end() :])
        if inner and (runs or inner[0].tokens[0].word in ("select", "with")):
            found = findings if runs else Findings()
            _judge(inner[0], dialect, technical, found)
            if not found.worst.reason.startswith("reads "):  # a plan shows no rows
                findings.add(found.worst.verdict, found.worst.reason)
        return
    if _PLAIN.fullmatch(statement.text):
        return
    first = statement.tokens[0].word
    if first not in ("select", "with", "delete", "update", "insert") and statement.tokens[0].text != "(":
        _other(statement, first, findings)
        return
    trees = _parsed(statement.text, dialect)
    if not trees:
        acts = any(token.word in ACTING for token in statement.tokens)
        findings.add(Verdict.BLOCK if acts else Verdict.ESCALATE, "not understood as a statement of SQL")
        return
    if asks_for_too_much(statement.text):
        findings.add(Verdict.ESCALATE, "a query that may never end")
    _check_names(statement, trees[0], findings)
    for tree in trees:
        if isinstance(tree, exp.Query):
            judge_read(tree, findings)
        else:
            judge_change(tree, technical, findings)


def _parsed(text: str, dialect: str) -> list[exp.Expr]:
    """The tree by the first dialect that understands the text."""
    for name in dict.fromkeys((dialect or "postgres", *_DIALECTS)):
        try:
            trees = sqlglot.parse(text, dialect=name)
        except (SqlglotError, ValueError, RecursionError):
            continue
        if (
            len(trees) == 1
            and trees[0] is not None
            and isinstance(trees[0], exp.Query | exp.Delete | exp.Update | exp.Insert)
        ):
            return [trees[0]]
    return []


_BEFORE_VARIABLES = frozenset(
    "select and or set into by when then else between like in where case limit offset top values as not return".split()
)


def _check_names(statement: Statement, tree: exp.Expr, findings: Findings) -> None:
    """Functions and acting words, by the text: what a parser makes of them doesn't count."""
    tokens = statement.tokens
    expected = (
        {"delete"} if isinstance(tree, exp.Delete) else {"update", "set"} if isinstance(tree, exp.Update) else set()
    )
    expected = {"insert", "into"} if isinstance(tree, exp.Insert) else expected
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    words = [token.text.lower() for token in tokens]
    for first, last in (("delete", "where"), ("update", "set")):
        if words[0] == first and "," in words[: words.index(last) if last in words else len(words)]:
            findings.add(Verdict.BLOCK, "a change of several tables")
    for position, token in enumerate(tokens):
        following = tokens[position + 1].text if position + 1 < len(tokens) else ""
        before = tokens[position - 1].text if position else ""
        word = token.word
        previous = tokens[position - 1] if position else token
        if re.match(r"@(?!@)", word) and previous.kind in ("word", "quoted") and previous.word not in _BEFORE_VARIABLES:
            findings.add(Verdict.BLOCK, "reads from another database")
        if token.kind == "word" and word in LOCKS:
            findings.add(Verdict.ESCALATE, "a query that locks or writes")
        if word == "generate_series" or _is_view_of_server(tokens, position):
            continue
        if word in ("nextval", "next_value") and before == ".":
            findings.add(Verdict.BLOCK, f"a statement with “{word}” in it")
        if (
            word in ACTING
            and not (word in FUNCTIONS and following == "(" and position)
            and not (word in expected and (position < 4 or word == "set"))
            and before != "."
        ):
            findings.add(Verdict.BLOCK, f"a statement with “{word}” in it")
        if following != "(" or token.kind not in ("word", "quoted"):
            continue
        is_target = isinstance(tree, exp.Insert) and position < 5
        if word in GRAMMAR or (word in ctes and _is_headed(tokens, position)) or is_target or before.lower() == "as":
            continue
        if token.kind == "quoted" or before == "." or word not in FUNCTIONS:
            is_bad = re.match(
                r"pg_(sleep|read|ls|write|terminate|cancel|advisory|reload|rotate|switch)|lo_|dblink|sleep|benchmark|load_file|sys_e|xp_|utl_|dbms_|setval|query_to",
                word,
            )
            findings.add(
                Verdict.BLOCK if is_bad else Verdict.ESCALATE, f"a function that isn't known: {token.text[:30]}"
            )


def _is_view_of_server(tokens: tuple[Token, ...], position: int) -> bool:
    """`sys.dm_db_index_physical_stats(…)`; of statements that others sent only those of a row that is read."""
    word = tokens[position].word
    following = [token.word or token.text for token in tokens[position + 3 : position + 5]]
    return [token.word or token.text for token in tokens[max(position - 2, 0) : position]] == ["sys", "."] and (
        re.match(r"dm_(db|os|io)_", word) is not None
        or (word == "dm_exec_sql_text" and following[:1] == ["."] and following[-1].endswith("sql_handle"))
    )


def _is_headed(tokens: tuple[Token, ...], position: int) -> bool:
    """`name (columns) as (select …`: a named query's head, and no call of a function with that name."""
    rest = [token.word or token.text for token in tokens[position + 1 :]]
    if ")" not in rest:
        return False
    after = rest[rest.index(")") + 1 :]
    return after[:2] == ["as", "("] and after[2:3] in (["select"], ["with"], ["values"], ["("])


_OTHER_CHANGES = re.compile(
    r"(?is)create\s+(unique\s+)?index\b|vacuum\b|reindex\b|optimize\s+table\b|alter\s+index\b|alter\s+table\s+\S+\s+(add|rebuild|modify)\b(?!.*\bdrop\b)|comment\s+on\b"
    r"|create\s+(global\s+temporary\s+|temp(orary)?\s+)?table\b(?!.*\b(members?|accounts?|passw\w*)\b)|refresh\s+materialized\b|alter\s+session\b|checkpoint\b"
    r"|set\s+(search_path|session|local|statement_timeout|names|autocommit|transaction)\b|savepoint\b|release\b|cluster\b|exec\s+dbms_stats\.gather\w+"
)
_KNOWN_BAD = re.compile(
    r"(?i)(set\s+(global|role|password|@@global|sql_log|session_replication|@|sql_safe)|create|alter|load|notify|start\s+slave|stop|change|pragma|replace|shutdown|"
    r"insert|reset|purge)\b"
)


def _other(statement: Statement, first: str, findings: Findings) -> None:
    if _OTHER_CHANGES.match(statement.text):
        findings.add(Verdict.ESCALATE, f"changes the database: {first}")
    elif first in FIRST_BLOCKS or _KNOWN_BAD.match(statement.text):
        findings.add(Verdict.BLOCK, f"{first} destroys, opens or runs something")
    else:
        findings.add(Verdict.ESCALATE, f"a statement that isn't known: {first or statement.tokens[0].text[:10]}")
