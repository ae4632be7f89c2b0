"""Words that several rule tables share: roles, particles, negations. Patterns run on text without white space,
unless their name ends in _SPACED."""

import re

from .numbers import NATIVE, SINO

# What may follow a name in Korean without being part of it.
JOSA = (
    "으로부터|로부터|에서는|에서도|에서|에게|에는|에도|으로|이랑|까지|부터|이나|이요|인데요|인데|이고|이라|입니다|이에요|예요|"
    "은|는|이|가|을|를|의|에|로|와|과|도|만|요|나|랑|꺼|거|건|껀|측|쪽|용|내|님"
)
# A word that goes with a system's name: its role, its kind, its parts.
COMPANION = (
    "시스템|서비스|포털|사이트|홈페이지|누리집|서버|was|web|웹|와스|db|디비|데이터베이스|배치|batch|lb|l4|톰캣|tomcat|jeus|제우스|"
    "nginx|apache|아파치|httpd|로그|전체|전부|모든|운영|개발|테스트|담당|관리자|첨부|테이블|데이터|인증서|화면|계정|디스크|메모리"
)
ROLE_WORDS = {
    "was": "was|와스|왓스|톰캣|tomcat|jeus|제우스|weblogic|웹로직|jboss|wildfly|ap서버|앱서버|애플리케이션서버",
    "web": r"web|웹|nginx|엔진엑스|아파치|apache|httpd|webtob|웹투비",
    "db": "db|디비|데이터베이스|database|오라클|oracle|postgres|mysql|티베로|tibero",
    "batch": "batch|배치|벳치",
    "lb": "lb|l4|엘포|로드밸런서|loadbalancer",
}
# These words mean a host only with a number, "서버" or the like; alone they mean the database, the job, the switch.
NEEDS_HOST_WORD = frozenset({"db", "batch", "lb"})
HOST_WORD = "서버|server|노드|node|장비|호스트|host|인스턴스|instance|컨테이너"
ALL_WORD = "전체|전부|모두|모든|전원(?=재|에|서버)|다(?=재|내|올|해|떠|배포|적용|점검)|싹다|일괄|양쪽|all|both"
NUMBER = rf"(?:\d{{1,2}}|{SINO}{{1,3}}|{NATIVE})"
REGULAR_HOST_ALIAS = re.compile(r"(?:was|와스|web|웹|db|디비|batch|배치|lb|l4)(?:서버)?[-#]?\d{1,3}(?:호기|번|호)?$")
# The thing named just before is not meant, or was corrected away.
NOT_MEANT = re.compile(
    r"^(?:서버|호기|번)?(?:은|는|이|가|을|를|도|요|만)?[\s,.…]*(?:"
    r"말고|말구|빼고|빼구|뺴고|제외|외에|아니고|아니라|아니구|안건드|건드리지|놔두|내버려|그대로두|"
    r"(?:이미|아까|벌써)?(?:끝났|완료했|완료됐|했으니|했고)|정상(?!인지|여부|화|적|인가|이냐)|괜찮(?!은지|나)|문제없|이상없(?!는지)|하지말|하지마|(?:은|는)?(?:재[가-힣]{2})(?:을|를)?(?:금지|불가)|"
    r"(?:아|어|음|앗|엇)?[\s,.…]*아니(?:다|야|요|지|네)?(?!라도|면))"
)
ONLY = re.compile(r"^(?:서버|호기|번)?만(?!료|약|들|일)")
SOURCE_AFTER = re.compile(r"^(?:서버|호기|번)?(?:에서|로부터|으로부터|부터|->|→|=>|>|⇒|발)(?!만)")
SOURCE_BEFORE = re.compile(
    r"(?:from|출발지|소스ip|sourceip|source|src|송신지|발신지|client|클라이언트)(?:ip|주소)?[:=은는]*$"
)
