"""Which essential information is missing: one small rule per slot, a table says who needs which."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .entities import Entities
from .normalise import Normalised
from .versions import find_versions

_LATER = re.compile(
    r"(?:파일|자료|명단|원본|엑셀|첨부|소스|데이터)?(?:은|는|을|를)?(?:이따|나중에|추후|차후|곧|별도로).{0,16}(?:보내|드릴|드리|첨부|전달|말씀|알려|송부)"
)
_ARTEFACT = re.compile(
    r"첨부|메일(?:로|에)|공유(?:드라이브|폴더)|보내(?:드렸|놨|놓|뒀|둔|드린)|보냈|전달(?:드렸|했|드린)|송부|올려(?:놨|놓|두었|뒀|둔)|원본(?:은|이)|자료실|엑셀|파일은|붙임|nas|git|형상|브랜치|branch|커밋|commit|attached|"
    r"(?:이전|직전|전|구)버전|젠킨스|jenkins|빌드번호|업로드(?:해놨|했|완료)|아래(?:와같|내용|값|데이터)|다음(?:과같|내용|값)|다시(?:맞춰|싱크|동기화)|싱크|(?<!not)sync|동기화"
)
_INLINE = re.compile(r"\d+개만|아이디는|값은|코드는|[a-z]+\d+~[a-z]*\d+|insertinto|=>|코드[:=]|[\"'“][^\"'”]{2,}[\"'”]")
_CONDITION = re.compile(
    r"이전|지난|지나|경과|기준|where|조건|상태=|년도|중복|까지|넘은|넘는|초과|이상(?!해|한)|만료|탈퇴|퇴사|미결제|미완료|임시|테스트|전체|전부|모두|olderthan|before|[a-z_]+=|년치|해지|더미|drop|드롭|truncate|(?<!\d)(?:19|20)\d{2}년|\d{2}년도"
)
_STOPS_JOB = re.compile(r"멈춰|멈추|중지|정지|꺼|끄|stop|pause|disable|삭제|빼|제거|remove|주석|비활성|제외")
_DIRECT_VALUE = re.compile(
    r"끄|꺼|켜|활성|비활성|해제|enable|disable|turnon|turnoff|기본값|원래대로|두배|2배|절반|없이|허용|배로|nopasswd"
)
_BACKUP_TARGET = re.compile(
    r"db|디비|데이터베이스|소스|source|파일|데이터|테이블|tb_|전체|풀|full|백업본|서버|애플리케이션|어플리케이션|설정|로그|이미지|스키마|/[a-z]|war|스냅샷|vm|database|디렉토리|폴더|was|web|운영"
)
_UNLOCK = re.compile(r"잠[겼김긴금가궈]|풀어|unlock|lock|초기화|해제")
_PERSON = re.compile(
    r"[가-힣]{2,4}(?:주무관|사무관|서기관|주사|과장|차장|부장|대리|팀장|계장|님|씨|연구원|선생)|전체계정|모든계정|공용계정|관리자계정"
)
_NOBODY = re.compile(r"담당|고객|선생님들")
_DEFERRED = re.compile(
    r"(?:시간대?|일정|일시|날짜|작업시간|시점|언제).{0,24}(?:협의|추후|나중에|미정|별도|다시(?:연락|말씀|알려)|조율|정해지면|확정되면|결정)|(?:추후|별도|나중에)(?:협의|통보|확정|알려|연락)|tbd|tobe(?:decided|confirmed|determined)|협의후(?:결정|진행|확정)|(?:시간|일정)(?:은|는)?(?:아직|미정)|미정"
)
_ONE_PROCESS = re.compile(r"프로세스(?:가)?(?:하나|한개|1개)|어떤프로세스(?!인지)|특정프로세스|그프로세스|프로세스중")
_FILLER = re.compile(
    r"제목|내용|요청|부탁|드립니다|드려요|드립|해주세요|해주시|해주|해줘|주세요|주시면|주시|바랍니다|바람|요망|합니다|됩니다|입니다|있어요|있습니다|있는데|같아요|같습니다|안녕하세요|담당자?|인데요|말이에요|"
    r"시스템|프로그램|소스코드|소스|코드|수정|고쳐|고치|변경|버그|오류|에러|문제|하나만?|조금|좀|자세한|이따|전화로?|말씀|드릴게요|드릴|급해요|급합니다|급히|빨리|오늘|내일|지금|확인|점검|체크|조회|추출|뽑아|정리|삭제|지워|데이터|테이블|이력|자료|레코드|너무|많아|많이|많아졌어요|졌어요|쌓여|쌓였|오래된|불필요한|검증|비교|정합성|"
    r"봐|저희|우리|그|저|이|것|거|건|쪽|에서|에|의|을|를|은|는|가|도|로|으로|와|과|랑|네|음|아|요|ㅠ|ㅜ|ㅋ|ㅎ|please|the|data|code|fix|check|주실수|있나요|해|한번|다시|필요|부분|관련|건은|통계|담당|수고|하십니다|db|디비|was|web|서버|\d+호기|쿼리|고객|좀더"
)
_MEANINGFUL = 2


@dataclass(frozen=True, slots=True)
class Request:
    """What the slot rules look at; `rest` is the text without the system's and institution's names."""

    doc: Normalised
    sub_type: str
    params: dict[str, Any]
    entities: Entities
    has_artefact: bool
    rest: str


def _artifact(request: Request) -> bool:
    if request.sub_type == "WAS_ROLLING" and "file" not in request.params and find_versions(request.doc.text).unclear:
        return False
    if request.has_artefact or any(key in request.params for key in ("version", "file", "sr_no")):
        return True
    text = _LATER.sub(" ", request.doc.compact)
    return bool(_ARTEFACT.search(text)) or (request.sub_type == "DATA_SEED" and bool(_INLINE.search(text)))


def _described(request: Request) -> bool:
    """Whether more than courtesies and general words is left of the text."""
    if request.params.get("table") or re.search(r"select.{1,200}from", request.doc.compact):
        return True
    return sum(char.isalnum() for char in _FILLER.sub("", request.rest)) >= _MEANINGFUL


def _account_named(request: Request) -> bool:
    if not _UNLOCK.search(request.doc.compact) or request.params.get("account"):
        return True
    return bool(_PERSON.search(_NOBODY.sub("", request.rest))) or bool(re.search(r"권한", request.doc.compact))


def _hosts_known(request: Request) -> bool:
    return bool(request.entities.servers) or request.entities.everywhere


_CHECKS: dict[str, Callable[[Request], bool]] = {
    "artifact": _artifact,
    "target": _described,
    "account": _account_named,
    "process": lambda request: not _ONE_PROCESS.search(request.doc.compact) or bool(request.params.get("process")),
    "condition": lambda request: "older_than_days" in request.params or bool(_CONDITION.search(request.rest)),
    "servers": _hosts_known,
    "port": lambda request: (
        any(key in request.params for key in ("port", "ports"))
        or bool(re.search(r"(?:전체|모든|전)포트|any|포트.{0,3}(?:전부|전체|다)", request.doc.compact))
    ),
    "job": lambda request: bool(request.params.get("job")),
    "schedule": lambda request: (
        any(key in request.params for key in ("cron", "schedule")) or bool(_STOPS_JOB.search(request.doc.compact))
    ),
    "key": lambda request: bool(request.params.get("key")),
    "value": lambda request: bool(request.params.get("value")) or bool(_DIRECT_VALUE.search(request.doc.compact)),
    "backup": lambda request: bool(request.entities.servers) or bool(_BACKUP_TARGET.search(request.rest)),
}
# sub-type → (name of the slot that is asked for, rule that tells whether it is filled)
ESSENTIAL: dict[str, tuple[tuple[str, str], ...]] = {
    "STATIC_SYNC": (("artifact", "artifact"),),
    "WAS_ROLLING": (("artifact", "artifact"),),
    "DATA_SEED": (("artifact", "artifact"),),
    "CODE_FIX": (("target", "target"),),
    "DB_QUERY": (("target", "target"),),
    "DATA_CHECK": (("target", "target"),),
    "DATA_CLEAN": (("target", "target"), ("condition", "condition")),
    "SERVER_REBOOT": (("servers", "servers"),),
    "PORT_OPEN": (("servers", "servers"), ("port", "port")),
    "CRON_EDIT": (("target", "job"), ("schedule", "schedule")),
    "CONFIG_CHANGE": (("target", "key"), ("value", "value")),
    "BACKUP": (("target", "backup"),),
    "ACCOUNT_CHECK": (("target", "account"),),
    "PROCESS_CHECK": (("target", "process"),),
}


def missing(request: Request) -> tuple[str, ...]:
    """Return the slots to ask for, in the order of the table; a system outside the CMDB makes the rest pointless."""
    entities = request.entities
    if "system_unknown" in entities.reasons:
        return ("system",)
    asked: list[str] = []
    if entities.system is None and not entities.whole_institution:
        asked.append("system")
    for slot, check in ESSENTIAL.get(request.sub_type, ()):
        if slot == "servers" and "system" in asked:
            continue
        if not _CHECKS[check](request):
            asked.append(slot)
    if entities.ask_servers and "servers" not in asked:
        asked.append("servers")
    if _DEFERRED.search(request.doc.compact):
        asked.append("window")
    return tuple(asked)
