"""What the command check takes: lines as operators write them, each judged for the first time."""

import time

from execution.command_check.check import check_command

_SHELL = (
    "df -h /app{n}",
    "tail -n {n} /app/logs/catalina.out | grep -c ERROR",
    "find /app/logs -name '*.{n}.log' -mtime +30 -exec ls -l {{}} +",
    "for h in was{n} was02; do curl -s -o /dev/null -w '%{{http_code}}' http://127.0.0.1:8080/health; done",
    "cp -p /app/webapps/ROOT.war /backup/ROOT.war.$(date +%Y%m%d).{n}",
    "echo cm0gLXJmIC8K{n} | base64 -d | sh",
)
_SQL = (
    "SELECT status, count(*) FROM orders WHERE member_id = {n} GROUP BY status ORDER BY 2 DESC LIMIT 10",
    "DELETE FROM session_log WHERE created_at < now() - interval '9{n} days'",
)
_ROUNDS = 50


def milliseconds_per_line() -> float:
    """The mean over lines that were never seen; parsers are loaded before."""
    for kind, lines in (("shell", _SHELL), ("sql", _SQL)):
        for line in lines:
            check_command(kind, line.format(n=0))
    started, count = time.perf_counter(), 0
    for n in range(1, _ROUNDS + 1):
        for kind, lines in (("shell", _SHELL), ("sql", _SQL)):
            for line in lines:
                check_command(kind, line.format(n=n))
                count += 1
    return (time.perf_counter() - started) * 1000 / count
