# ruff: noqa: E501 - word tables: one pattern a row reads better than wrapped ones
"""Parameters of the work, cut verbatim from the text; numbers and photo errors are repaired."""

import re
from typing import Any

from .normalise import Normalised
from .numbers import SINO, spoken_account, spoken_number
from .times import find_cut_off, find_days, find_period, find_when
from .versions import find_versions, replaced_away

_FILE = re.compile(
    r"(?<![\w/])([\w\-]{1,80}(?:\.[\w\-]{1,40}){0,6}\.(?:war|jar|ear|zip|json|csv|x[l1]sx?|sql|html?|css|js|jks|pfx|pem|crt|p12|pdf|hwpx?|tar\.gz|tgz|out|png|jpg|gif))(?![a-z0-9])",
    re.IGNORECASE,
)
_SR = re.compile(r"(?<![A-Za-z])((?:SR|CSR|CR|ITSM|REQ)-?\d{4,}(?:-\d+)*)", re.IGNORECASE)
_TABLE = re.compile(r"\b((?:[A-Za-z]\w{0,30}\.)?(?:TB|TBL|TN|TC|TH|TM|T)_[A-Za-z0-9_]+)\b", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w/가-힣:])(/[A-Za-z][\w./\-]*)")
_USAGE = re.compile(r"(\d{2,3}) ?(?:%|퍼센트|프로(?![가-힣]))")
_ERROR = re.compile(
    r"(ORA-\d{5}|No space left on device|(?:java\.)?[\w.]{0,80}(?:OutOfMemoryError|Exception)\b|Kernel panic|Segmentation fault|Connection refused)"
)
_CRON = re.compile(r"(?<!\S)((?:[\d*/,\-]+ ){4}[\d*/,\-]+)(?!\S)")
_SCHEDULE = re.compile(
    r"(?:매일|매주|매월|매시간?|평일|주말|격주)(?: ?[월화수목금토일]요일)?(?: ?\d{1,2}일)?(?: ?(?:새벽|오전|오후|밤|저녁|아침))?(?: ?(?:\d{1,2}:\d{2}|\d{1,2}시(?: ?(?:\d{1,2}분|반))?|[한두세네]시|다섯시|여섯시))?|\d{1,3}(?:분|시간)(?: ?(?:마다|간격|주기))|(?:새벽|오전|오후|밤|저녁|아침)? ?(?:\d{1,2}:\d{2}|\d{1,2}시(?: ?(?:\d{1,2}분|반))?|(?:한|두|세|네|다섯|여섯)시(?: ?반)?)"
)
_JOB_PATH = re.compile(r"(/[\w./\-]+\.(?:sh|py|pl|jar))")
_JOB = re.compile(
    r"((?<![A-Za-z0-9_])[A-Za-z][A-Za-z0-9]{0,30}_\w{1,40}|(?<![\w\-])[A-Za-z][\w\-]{0,40}\.(?:sh|py)|(?<![가-힣A-Za-z0-9])[가-힣A-Za-z0-9]{1,20}(?: [가-힣A-Za-z0-9]{1,20})?) ?(?:크론(?:탭|잡)?|cron(?:tab)?|배치|스케줄|스케쥴|job|잡|작업)",
    re.IGNORECASE,
)
_NO_JOB = re.compile(
    r"하나|추가|등록|신규|새로|서버|호기$|시스템|포털|변경|^(?:웹|was\d?|db|디비|예약|root|이|그|저|정기|관련)$",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?<![\d,.])(\d{1,6}) ?(?:건|종|개|명|row|행)(?!월)")
_ACCOUNT = re.compile(
    r"(?:계정|아이디|\bid\b|account|user)(?:는|은|명|\()? ?[:(]? ?([a-z][a-z0-9_.\-]{1,30}(?:~[a-z0-9_]+)?)|(?<![a-z0-9\-_./])([a-z][a-z0-9_]{2,30}) ?(?:계정|아이디|account)",
    re.IGNORECASE,
)
_NO_ACCOUNT = re.compile(
    r"^(?:os|db|was|web|root권한|the|an?|is|was\d|dba|sudo|list|status|lock(?:ed)?|all|for|on|in|of|ssh|vpn|locked|app)$",
    re.IGNORECASE,
)
_SPOKEN_ACCOUNT = re.compile(r"(?:아이디|계정)(?:는|은)? ([가-힣]{2,6} ?[가-힣]{0,5}?)(?:이에요|예요|입니다|이고|요)")
_SOURCE = re.compile(
    r"(?:from (?:[a-z]+ ){0,5}|(?:출발지|소스|source|src)(?: ?ip)? ?[:：]? ?)((?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?)|((?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?) ?(?:에서|로부터|→|->|대역에서)|(0\.0\.0\.0/0)",
    re.IGNORECASE,
)
_PORT_NUMBER = re.compile(
    r"(?<![\d.,:/\-])(\d{2,5})(?![\d.:\-]|,\d{3}|/\d|[가-힣]*호기| ?(?:시|분|월|일|년|대|건|개|명|%|gb|mb))",
    re.IGNORECASE,
)
_PORT_SPOKEN = re.compile(rf"({SINO}{{2,6}}) ?(?:번 ?)?(?:포트|port)")
_PORT_MAX = 65_535
_KEY = re.compile(
    r"(방화벽|커넥션 ?풀(?: 사이즈)?|세션 ?타임아웃|(?:[\w가-힣]+ )?타임아웃|log level|로그 ?레벨|감사로그(?:\(audit\))?|DB 비밀번호|힙 ?(?:메모리|사이즈|크기)?|heap(?: size)?|Xm[xs]|max[A-Za-z]+|테이블스페이스|업로드 ?(?:용량|제한|크기)(?: 제한)?|(?:DB )?(?:비밀번호|패스워드)|스레드 ?(?:풀|수)|쓰레드 ?(?:풀|수)|버퍼(?: 크기)?|keepalive[\w_]*|(?<![a-z0-9_.])[a-z][a-z0-9_]{0,40}(?:\.[a-z0-9_]{1,40}){1,5}|(?<![a-z_])[a-z]{1,30}_[a-z_]{1,40}|ulimit|NTP|DNS|timeout|max connections|connection pool|캐시(?: 크기)?|동시 ?접속(?:자)?(?: 수)?|설정 ?파일)",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rf"(?:to|=|에서) ?([\w.]{1, 30}?)(?:으로|로| |,|$)|((?:\d[\d,.]*|{SINO}{{2,5}}) ?(?:gb|mb|g|m|k|초|분|시간|개|명|일|ms|s|%)?)(?:으로|로|까지| 추가|정도)|(\d+ ?(?:gb|mb|g|tb)) ?(?:추가|증설|확장|늘)|(?:to|with) ([A-Z0-9]+)|(?<![a-z])(off|on|warn|info|debug|error|trace|true|false)(?: ?(?:으로|로))",
    re.IGNORECASE,
)
_SERVICE = re.compile(
    r"(톰캣|tomcat|jeus|제우스|nginx|아파치|apache|httpd|weblogic|웹로직|webtob|데몬|jboss)", re.IGNORECASE
)
_PROCESS = re.compile(
    r"([a-z][\w\-]{2,30})(?= (?:마스터 )?(?:프로세스|구동|데몬|process|에이전트|agent))", re.IGNORECASE
)
_KEYWORD = {
    "LOG_ANALYSIS": r"slow query|슬로우 ?쿼리|timeout|타임아웃|\bException\b|OutOfMemory\w*|error|50[0-9]|deadlock|ERROR",
    "DATA_CHECK": r"이상치|null|중복|누락|고아|불일치|정합성", "PROCESS_CHECK": r"lock|락|좀비|zombie|cpu|CPU|deadlock|스레드|쓰레드",
    "MEMORY_CHECK": r"swap|스왑|heapdump|heap dump|힙덤프|누수|GC|OOM", "BACKUP": r"full backup|풀 ?백업|증분|cold backup|스냅샷|snapshot",
    "SECURITY_CHECK": r"telnet, ftp|telnet|ftp|관리자페이지|관리자 페이지|TLS ?1\.\d|취약점|웹쉘|webshell|CVE-\d+-\d+|log4j|SSH",
    "ACCOUNT_CHECK": r"SELECT ANY TABLE|sudo|DBA|root",
}  # fmt: skip
_MOUNT = re.compile(
    r"([A-Z] ?드라이브)|(?:마운트|mount(?:ed on)?|파티션|disk|디스크) ?[:：]? ?(/[\w./\-]*)|\d{1,3}% +(/[\w./\-]*)|(/[\w./\-]+) +\d{1,3}%|(/(?:data|backup|upload|logs?|home|var|opt|tmp|app|dev)[\w./\-]*)",
    re.IGNORECASE,
)
_TARGET_CODE = re.compile(
    r"(?:^|[\s,.])([가-힣A-Za-z0-9]{2,12}(?: [가-힣A-Za-z0-9]{2,8})?)(?:에서|이|가|을|를|도| 시| 쪽| 코드)"
)
_FORMAT = re.compile(r"(엑셀|excel|csv|pdf|hwp)(?:로|파일로| 파일)", re.IGNORECASE)
_LOOKS_BACK = frozenset(
    {"LOG_ANALYSIS", "DB_QUERY", "DATA_CHECK", "BACKUP", "HEALTH_CHECK", "PROCESS_CHECK", "MEMORY_CHECK"}
)
_CLEANS = frozenset({"DATA_CLEAN", "LOG_CLEAN", "DISK_CLEAN"})
_OCR_DIGIT = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1"})


def extract(doc: Normalised, sub_type: str, rest: str) -> dict[str, Any]:
    """Return the parameters that matter to `sub_type`; `rest` is the text without the names of systems."""
    text = re.sub(
        r"(?<=\d)[OolI](?=\d|[.:\-/])|(?<=[\d.:])[OolI](?=[\d])", lambda m: m.group().translate(_OCR_DIGIT), doc.text
    )
    found: dict[str, Any] = {}
    _names(found, text)
    _by_sub_type(found, text, doc, sub_type, rest)
    _times(found, text, sub_type)
    if error := _ERROR.search(text):
        found["error"] = error.group(1)
    if (pattern := _KEYWORD.get(sub_type)) and (word := re.search(pattern, text)):
        found["keyword"] = word.group()
    return {key: value for key, value in found.items() if value is not None}


def _names(found: dict[str, Any], text: str) -> None:
    if file := next((match for match in _FILE.finditer(text) if not replaced_away(text, match)), None):
        found["file"] = re.sub(r"x[1l]s", "xls", file.group(1))
    if sr := next((match for match in _SR.finditer(text) if not replaced_away(text, match)), None):
        found["sr_no"] = sr.group(1)
    if table := _TABLE.search(text):
        found["table"] = table.group(1)


def _by_sub_type(found: dict[str, Any], text: str, doc: Normalised, sub_type: str, rest: str) -> None:
    if sub_type == "WAS_ROLLING":
        if "file" not in found:
            found["version"] = find_versions(text).wanted
    elif sub_type == "PORT_OPEN":
        found.update(ports(text))
    elif sub_type == "CRON_EDIT":
        found.update(_cron(text, rest))
    elif sub_type == "CONFIG_CHANGE":
        found.update(_setting(text))
    elif sub_type in ("DISK_CLEAN", "LOG_CLEAN", "LOG_ANALYSIS", "MEMORY_CHECK"):
        _disk(found, text, sub_type)
    elif sub_type in ("ACCOUNT_CHECK", "DATA_SEED"):
        found["account"] = account(text)
    if sub_type in ("SERVICE_RESTART",) and (service := _SERVICE.search(text)):
        found["service"] = service.group(1)
    if sub_type == "PROCESS_CHECK" and (process := _PROCESS.search(text)):
        found["process"] = process.group(1)
    if sub_type in ("DATA_SEED", "STATIC_SYNC") and (count := _COUNT.search(text)):
        found["count"] = int(count.group(1))
    if sub_type == "HEALTH_CHECK" and (path := _PATH.search(text)):
        found["path"] = path.group(1)
    if sub_type == "DB_QUERY" and (form := _FORMAT.search(text)):
        found["format"] = form.group(1)
    if sub_type == "CODE_FIX" and (target := _TARGET_CODE.search(text)):
        found["target"] = target.group(1)


def ports(text: str) -> dict[str, Any]:
    """Ports, protocol and source of a firewall request; spoken ports ("팔천팔십 포트") are numbers."""
    found: dict[str, Any] = {}
    bare = re.sub(
        r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?|[a-z]+(?:-[a-z]+)+-?\d+|20\d{2}[.\-/]\d{1,2}[.\-/]\d{1,2}|SR-?\d[\d\-]*",
        " ",
        text,
        flags=re.I,
    )
    numbers = [int(m.group(1)) for m in _PORT_NUMBER.finditer(bare) if 20 <= int(m.group(1)) <= _PORT_MAX]
    spoken = [value for m in _PORT_SPOKEN.finditer(bare) if (value := spoken_number(m.group(1))) and value <= _PORT_MAX]
    values = list(dict.fromkeys(numbers or spoken))
    if len(values) == 1:
        found["port"] = values[0]
    elif values:
        found["ports"] = values
    if protocol := re.search(r"\b(TCP|UDP)\b", text, re.IGNORECASE):
        found["protocol"] = protocol.group(1)
    if source := _SOURCE.search(text):
        found["src"] = next(group for group in source.groups() if group)
    return found


def _cron(text: str, rest: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    lines = [m.group(1) for m in _CRON.finditer(text)]
    jobs = [m.group(1) for m in _JOB_PATH.finditer(text)]
    if lines:
        found["cron"] = lines[-1]
    elif schedule := _SCHEDULE.search(text):
        found["schedule"] = schedule.group().strip()
    ordinal = re.search(r"(\d|첫|두|세|네) ?번?째 ?(?:줄|라인|행)", text)
    number = spoken_number(ordinal.group(1)) if ordinal else None
    if jobs:
        found["job"] = jobs[number - 1] if number and number <= len(jobs) else jobs[-1]
    elif job := next((m for m in _JOB.finditer(rest) if not _NO_JOB.search(m.group(1).split()[-1])), None):
        found["job"] = re.sub(r"^(?:[가-힣A-Za-z0-9]*(?:시스템|포털|서버|호기|등록된|에)) ", "", job.group(1))
    elif word := re.search(r"(?<![A-Za-z0-9_/.])[A-Za-z][A-Za-z0-9]{0,30}_\w{1,40}", rest, re.ASCII):
        found["job"] = word.group()
    return found


def _setting(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    space = re.search(r"테이블스페이스 ?([A-Z][A-Z0-9_]+)|tablespace ([A-Z][A-Z0-9_]+)", text)
    if space:
        found["key"] = space.group(1) or space.group(2)
    elif key := _KEY.search(text):
        found["key"] = key.group(1)
    if value := _VALUE.search(text):
        found["value"] = next(group for group in value.groups() if group).strip()
    return found


def _disk(found: dict[str, Any], text: str, sub_type: str) -> None:
    if usage := _USAGE.search(text):
        found["usage_pct"] = int(usage.group(1))
    if sub_type == "DISK_CLEAN" and (mount := _MOUNT.search(text)):
        found["mount"] = next(group for group in mount.groups() if group)
    if sub_type in ("LOG_CLEAN", "LOG_ANALYSIS") and (path := _PATH.search(text)):
        found["log_path"] = path.group(1)


def account(text: str) -> str | None:
    """The account's name, as written or as dictated."""
    for match in _ACCOUNT.finditer(text):
        name = match.group(1) or match.group(2)
        if not _NO_ACCOUNT.match(name):
            return name
    spoken = _SPOKEN_ACCOUNT.search(text)
    return spoken_account(spoken.group(1)) if spoken else None


def _times(found: dict[str, Any], text: str, sub_type: str) -> None:
    if sub_type in _CLEANS and (days := find_days(text)):
        found["older_than_days"] = days[0]
        text = text[: days[1]] + " " + text[days[1] + 4 :]
    elif sub_type in _CLEANS and (cut_off := find_cut_off(text)):
        found["period"] = cut_off
        text = text.replace(cut_off, " ", 1)
    elif sub_type == "BACKUP" and re.search(r"보관|keep|retain|보존", text) and (days := find_days(text)):
        found["retention_days"] = days[0]
    elif (
        sub_type == "ACCOUNT_CHECK"
        and re.search(r"미접속|미사용|inactive|접속하지|로그인하지", text)
        and (days := find_days(text))
    ):
        found["inactive_days"] = days[0]
    if sub_type in _LOOKS_BACK and (period := find_period(text)):
        found["period"] = period
        text = text.replace(period, " ", 1)
        if "까지" not in text and sub_type != "BACKUP":
            return
    if sub_type != "CRON_EDIT" and not re.search(r"Exception|ORA-|panic", text):
        found["when"] = find_when(text)
