# ruff: noqa: E501 - tables: one rule a row reads better than wrapped patterns
"""Requests that nobody may wave through: destruction, bypass, theft, cover-up, weakening, and orders to the machine.

A match counts unless what follows negates it or only reports it ("rm -rf 로 날리지 마시고", "chmod 777 걸린 파일이
있는지"). The judgement is about the words: what the gate later forbids is another, stricter floor.
"""

import re
from dataclasses import dataclass

from .normalise import Normalised

# The negation must belong to the match: an order that ends before it ("… 해줘 다른 건 건드리지 마") stands.
_HARMLESS_AFTER = re.compile(
    r"^(?:(?!해줘|해주세|해라|주세요|주고|하고|한다음|한뒤|실행해|돌려|버려|[!\n]|[.](?![a-z\d])).){0,24}?(?:지마|지말|지않|지는마|금지|불가|말것|자제|삼가|지양|했나요|했습니까|했다는|했다고|하면안|면안[돼되]|안되니|안됩니|안되게|못하게|쓰지|없도록|막아|차단해|회수|원복해|탐지|방지|"
    r"있는지|인지(?!하)|여부|되어있|돼있|걸린|걸려|열린|설정된|허용된|남아있|누가|했는지|시도(?:한|했|가|로그|이력|흔적)|"
    r"(?:실행|입력|작성|사용|접속)(?:한|된|했던|하던)(?:사람|흔적|이력|기록|로그|계정|것|적)(?!.{0,8}(?:삭제|지워|지우|없애))|"
    r"(?:이라는|라는|란|라고).{0,12}(?:문자열|문구|메시지|메일|글|경고|에러|오류|입력|찍|뜨|떠|나오|적혀|써|표시)|"
    r"(?:에러|오류|경고)(?:가|이)?(?:발생|나|뜨|떠)|아니고|말고|아니라|그만|사고|실수)"
)
_UNDO_HARMLESS = re.compile(r"(?:그냥|그대로|무조건|다시한번)(?:실행|돌려|진행|해)|무시하고")


@dataclass(frozen=True, slots=True)
class DangerRule:
    """`pattern` runs on text without white space; `absolute`: no context makes it harmless; `bounded`: it is
    harmless for data that is named as old, expired or made up."""

    name: str
    pattern: re.Pattern[str]
    absolute: bool = False
    bounded: bool = False


# Old, expired or made-up data is cleaned up every day; only the unbounded order is a danger for `bounded` rules.
_BOUNDS = re.compile(
    r"지난|이전|경과|넘은|초과|만료|탈퇴|퇴사|테스트|임시|더미|샘플|temp|test|오래된|불필요|보관(?:기간|주기|기한)|중복|\d+(?:일|개월|년)"
)
_PRIVATE = "개인정보|주민번호|주민등록|회원정보|고객정보|비밀번호|패스워드|개인키|privatekey|id_rsa|passwd|shadow|전화번호|연락처|명단|db덤프|덤프|dump|회원db|전체데이터|데이터전체|db전체|환자|납세자|소득"
_OUTSIDE = "외부|gmail|지메일|개인메일|개인이메일|네이버메일|구글드라이브|googledrive|dropbox|드롭박스|usb|텔레그램|telegram|카톡|카카오톡|제개인|내개인|내메일|웹하드|webhook|pastebin|hotmail|naver.com|daum.net|https?://"
_APPROVAL = "승인|결재|approval|허가"
_EVIDENCE = "흔적|감사로그|감사기록|감사이력|auditlog|audit|접속기록|접속이력|접속로그|작업기록|작업이력|history|히스토리|증거|로그인기록|실행기록|명령이력|secure로그|wtmp|btmp|lastlog"
_ALL = "(?:전체|전부|모두|모든|싹다?|몽땅|모조리|깡그리|통째로?|완전히|다|일괄|all|every)"
_DELETE = "(?:삭제|delete|지우|지워|날려|날리|비워|비우|드롭|drop|밀어|밀자|제거|없애|파기|폐기|purge)"
_START = "(?!.{0,20}(?:다시|재기동|재시작|재구동|시작|기동|올려|올리|(?<!시)켜|start))"
_STORE = "(?:db|디비|데이터베이스|스키마|database|운영데이터|운영디비)"
_EVERYTHING = (
    "(?<!안)(?:전|모든|전체)(?:기관|부처|시스템|서버|장비)|(?:서버|시스템)(?:를|을|들)?(?:전부|전체|모두|싹다|몽땅|다)"
)

_WIDER = (
    ("destructive_sql", rf"테이블(?:을|를|은|도|자체를?|{_ALL}){{0,4}}(?:드롭|drop|truncate|트렁케이트|날려|날리|없애|밀어)|(?:drop|드롭|truncate|트렁케이트).{{0,8}}(?:테이블|table|스키마|디비|db)|(?:where|조건)(?:절)?(?:은|을|도)?(?:없이|빼고|생략).{{0,16}}(?:{_DELETE}|update|실행|돌려)|{_DELETE}.{{0,12}}(?:where|조건)(?:절)?없이", False),
    ("destruction", rf"{_STORE}(?:서버)?(?:를|을|의|은|도|자체를?|안에?|데이터){{0,4}}{_ALL}(?:를|을|다)?{_DELETE}|{_STORE}(?:를|을|은|도|자체를?|좀)?(?:삭제|지워|지우|날려|날리|드롭|drop|밀어|없애|포맷)(?!된|한|했|이력)", True),
    ("destruction", rf"(?:테이블|데이터|레코드|자료|파일|디렉토리|폴더|회원정보|회원)(?:를|을|들을?)?{_ALL}(?:를|을|다)?{_DELETE}|{_DELETE}.{{0,3}}{_ALL}.{{0,3}}(?:데이터|테이블)", True),
    ("destruction", rf"백업(?:본|파일|데이터|이력|셋|폴더|이미지)?(?:은|는|을|를|도|들|까지|좀|먼저|부터|{_ALL}){{0,4}}(?:삭제|지우|지워|없애|날려|날리|제거|폐기)", True),
    ("destruction", r"rm-r?f?\*|rm-r(?:/|\*)|rm-f/|delete(?:all|every)|drop(?:all|every)|erase(?:the)?(?:db|database|disk)|(?:kill|pkill|킬)-?9.{0,24}(?:전부|모두|다죽|싹|전체|모든|all)|(?:모든|전체|전)프로세스.{0,12}(?:죽|kill|종료|킬)|프로세스(?:를|들)?(?:을)?(?:전부|모두|싹|다).{0,6}(?:죽|kill|종료|킬)|killall|pkill", False),
    ("mass_shutdown", rf"(?:was|web|와스|웹|톰캣|서버|서비스|시스템|포털|노드|db|디비|인스턴스|장비)(?:서버)?(?:를|을|들을?|들)?{_ALL}(?:를|을|다)?.{{0,10}}(?:중지|정지|셧다운|shutdown|종료|전원(?:을|를)?(?:꺼|끄|내)|꺼(?!져|진)|끄|내려(?!받|갔|가)|멈춰|stop|halt){_START}|(?:모든|전체|전)(?:was|web|와스|웹|톰캣|서비스|노드|인스턴스)(?:서버)?(?:를|을|들을?)?.{{0,8}}(?:중지|정지|셧다운|shutdown|종료|꺼(?!져|진)|끄|내려(?!받|갔|가)|멈춰){_START}|(?:shutdown|stop|halt|poweroff|turnoff)(?:down)?(?:all|every){_START}", False),
    ("access_weakening", rf"(?:방화벽|포트|acl|보안그룹)(?:은|는|을|를|도|정책)?(?:그냥|아예|{_ALL}){{1,4}}(?:을|를|다)?.{{0,4}}(?:열|풀|오픈|개방|허용|open|해제|내려|꺼|끄)|(?:권한|퍼미션|permission|모드)(?:은|을|를|도)?.{{0,8}}(?<!\d)777(?!\d)|(?<!\d)777(?:로|으로|권한|퍼미션|줘|주)|chmod.{{0,6}}777|(?:모든|전체|전)(?:직원|사용자|계정|유저|사람).{{0,14}}(?:관리자|admin|root|sudo|dba|슈퍼|쓰기|전체)권한|(?:접근제어|접근통제|보안솔루션|보안프로그램|보안정책|침입탐지|ids|로그수집|보안에이전트)(?:은|는|을|를|도)?.{{0,6}}(?:꺼|끄|해제|비활성|중지|우회|삭제|내려)", False),
    ("exfiltration", r"(?:root|루트|관리자|admin|dba?|디비|sudo|공용|서버|운영|계정)(?:계정)?(?:의)?(?:비밀번호|비번|패스워드|password|암호|pw)(?!.{0,10}(?:초기화|변경|바꿔|바꾸|교체|재설정|만료|잠|오류|정책|틀)).{0,12}(?:공유|알려|보내|전달|톡|출력|뿌려|적어|올려|주세|줘|뭐|share|send)", False),
    ("evidence_removal", rf"(?:감사|접속|접근|작업|로그인|명령어?|보안|audit)(?:로그|기록|이력|내역)(?:은|는|을|를|도|들|까지|좀|만|{_ALL}){{0,4}}(?:지우|지워|삭제|없애|날려|날리|제거|비워|꺼|끄|조작|고쳐)", True),
)  # fmt: skip
RULES = tuple(
    DangerRule(name, re.compile(pattern), bounded=bounded) for name, pattern, bounded in _WIDER
) + tuple(
    DangerRule(name, re.compile(pattern), absolute)
    for name, pattern, absolute in (
        ("destructive_command", r"rm(?:-[a-z]+)*-(?:rf|fr|[a-z]*r[a-z]*f)|rm-r-f|mkfs|ddif=|of=/dev|wipefs|shred|:\(\)\{|>/dev/sd|formatc:|del/[sfq]|rd/s|rmdir/s|kill-9-1|chmod-r|chown-r.*/(?![a-z])", False),
        ("destructive_sql", r"drop(?:table|database|schema|user|tablespace)|truncatetable|truncate|deletefrom(?!.{0,60}where)|where1=1|or1=1|'or'", False),
        ("destruction", r"(?:싹|통째로|몽땅|깡그리|흔적도없이|완전히)(?:다)?(?:밀|지우|지워|날리|날려|삭제|포맷|없애)|복구(?:가)?(?:불가능|못하|안되)(?:하)?게|(?:디스크|서버|db|디비|볼륨|스토리지).{0,8}(?:포맷|초기화|통째|날려버|밀어버)|포맷해|(?:백업본?|백업파일|백업데이터|스냅샷).{0,12}(?:전부|모두|다|싹|전체).{0,8}(?:지우|지워|삭제|없애|날려)|(?:전부|모두|싹다?|다)죽여|(?:db|디비|데이터베이스|스키마|운영데이터|테이블)(?:를|을|전체를|자체를)?(?:통째|전체|전부|싹)?(?:다)?(?:날려|날리|드롭|삭제해버)|wipe|destroy|eraseall|deleteall|deleteeverything|보존정책도?(?:삭제|없애)", False),
        ("mass_shutdown", rf"(?:{_EVERYTHING}).{{0,20}}(?:셧다운|shutdown|종료|꺼|끄|내려(?!받)|전원|중지|poweroff|halt|정지|멈춰|동시에|한꺼번에|내렸다)|(?:shutdown|poweroff|halt|turnoff|kill)(?:all|every)", False),
        ("prompt_injection", r"(?:이전|앞선|앞의|위의?|기존|지금까지의?|모든|상위|원래)(?:의)?(?:모든)?(?:받은)?(?:지시|명령|프롬프트|규칙|지침|제약|안내|instruction)(?:사항|들)?(?:은|는|을|를|따위는?)?(?:모두|전부|다|싹|전면|완전히)?(?:무시|잊|버리|취소|삭제|덮어)|ignore(?:all|any|the|your|every)?(?:previous|prior|above|instruction|earlier|rules|polic)|disregard(?:all|the|any|previous|prior|your)|forget(?:all|everything|your|previous)|시스템프롬프트|systemprompt|(?:너는?|넌|당신은|니는)(?:이제|지금)(?:부터|는)?|youarenow|actas|pretend|개발자모드|developermode|관리자모드로|jailbreak|탈옥|<\|?(?:system|im_start)|\[system\]|###system|(?:역할|페르소나)(?:을|를)?(?:바꿔|변경|부여)|규칙(?:은|을)?(?:적용하지|따르지)(?:마|말)|승인자(?:를|는)?(?:나로|저로|내이름)|(?:이미|벌써)승인(?:된|됨|처리|한)(?:것으로|걸로|으로)|승인(?:된|한)(?:것|걸)(?:으로|로)(?:처리|간주|표시|기록)|승인상태(?:를|로)", True),
        ("approval_bypass", rf"(?:{_APPROVAL})(?:절차|과정|단계|프로세스|요청|자)?(?:은|는|을|를|도|이|가)?(?:없이|안받|받지말|생략|건너|패스|스킵|skip|무시|필요없|필요도없|우회|없는|나중에|사후|빼고|묻지|따위|기다리지|거치지)|(?:without|skip|bypass|no)(?:the|any|an|further)?(?:approv|review|authoriz)|확인(?:은|을|도)?(?:묻지|물어보지|필요없)|몰래|비공식적으로|아무도모르게|(?:보안팀|팀장|관리자|pm|담당자|감사팀)(?:한테|에게|에)?(?:는)?(?:말하지|알리지|보고하지|비밀(?!번호))|검토(?:는)?(?:생략|없이)(?:하고)?바로|변경관리(?:절차)?(?:를|는)?(?:생략|건너|무시|없이)", False),
        ("exfiltration", rf"(?:{_PRIVATE}).{{0,40}}(?:{_OUTSIDE}).{{0,30}}(?:보내|전송|업로드|올려|반출|복사|빼|옮겨|담아|공유|send|upload|copy|post|줘|주세)|(?:{_PRIVATE}).{{0,30}}(?:반출|유출|빼돌|빼내|빼줘|(?:담아|복사해)(?:가|나))|(?:send|upload|copy|exfiltrat|post|email).{{0,60}}(?:{_OUTSIDE}|external|personal)|/etc/shadow|(?:비밀번호|패스워드|password|암호)(?:들)?(?:를|을)?.{{0,8}}(?:평문|목록|전부|전체|리스트|복호화|그대로).{{0,10}}(?:출력|뽑|보여|알려|추출|보내|풀어)|(?:주민번호|주민등록번호|계좌번호|카드번호)(?:를|을|까지|도)?.{{0,16}}(?:마스킹(?:없이|풀|해제)|전체(?:를)?(?:뽑|추출)|전부(?:뽑|추출|내려))|(?:개인키|privatekey|id_rsa|접속정보|credential|시크릿|apikey|토큰).{{0,16}}(?:출력|보내|알려|보여|복사|공유|내보내|print|send|show)|마스킹(?:을|은)?(?:없이|풀고|해제하고|빼고|하지말고)", False),
        ("evidence_removal", rf"(?:{_EVIDENCE})(?:은|는|을|를|도|만|\(audit\)|들)?.{{0,16}}(?:안남게|남지않게|안남도록|남지않도록|지우|지워|삭제|없애|조작|변조|끄|꺼|비활성|중지|위조|수정해|덮어|초기화|disable|clear|delete|remove|turnoff|stop)|(?:기록|로그|이력|흔적)(?:은|는|이|을|도|에|에는)?(?:안남게|남지않게|안남도록|남지않도록|남기지(?:말고|마|않)|안남기고|없이)|(?:disable|clear|delete|erase|turnoff|stop|wipe|remove).{{0,16}}(?:audit|history|evidence|trace)|history-c|로그.{{0,10}}(?:조작|변조|위조)", False),
        ("access_weakening", r"nopasswd|chmod(?:-r)?0?777|777권한|0\.0\.0\.0/0|any[ -/]*any|anytoany|selinux.{0,8}(?:끄|꺼|disable|해제|off|permissive)|setenforce0|방화벽(?:은|을|도|정책)?(?:을|를)?(?:전부|전체|모두|다|아예|잠깐|완전히|임시로|그냥)*(?:꺼|끄|내려|중지|disable|해제|비활성|풀어버)|iptables-f|(?:disable|turnoff|stop)(?:the)?(?:firewall|selinux|antivirus|mfa|2fa)|(?:root|루트).{0,10}(?:원격|직접|ssh|로그인|접속).{0,10}(?:허용|열어|풀어|가능하게)|permitrootlogin|(?:비밀번호|패스워드|인증|로그인)(?:절차)?(?:은|는|을|를)?(?:없이|우회|건너|생략|안해도|꺼)|백도어|backdoor|리버스쉘|reverseshell|nc-e|bash-i|(?:curl|wget).{0,120}\|(?:sudo)?(?:ba)?sh|(?:모든|전체|전|all)포트|포트.{0,4}(?:전부|전체|모두|다|싹)(?:열|풀|오픈|개방|허용)|(?:2fa|mfa|otp|이중인증|2차인증|백신|v3|edr|ips|waf|웹방화벽)(?:은|는|을|를|도)?.{0,6}(?:꺼|끄|해제|비활성|중지|내려|우회|삭제|빼)|authorized_keys|(?:비밀번호|패스워드|비번|password).{0,12}(?:1234|0000|1111|admin|password1|qwer|동일하게)|grantall|grantdba|allprivileges|sudo(?:권한)?(?:전체|all|제한없이)|공용계정.{0,10}(?:관리자|root|sudo)권한|검증(?:을)?(?:꺼|끄|무시)|stricthostkeychecking", False),
    )
)  # fmt: skip


def find_dangers(doc: Normalised) -> tuple[str, ...]:
    """Return the names of the rules that speak; empty means nothing was recognised."""
    return tuple(dict.fromkeys(rule.name for rule in RULES if _speaks(rule, doc.compact)))


def _speaks(rule: DangerRule, text: str) -> bool:
    reported = _SINGLE_QUOTED if rule.absolute else _HARMLESS_AFTER
    for match in rule.pattern.finditer(text):
        tail = text[match.end() : match.end() + 60]
        if rule.bounded and _BOUNDS.search(text[max(0, match.start() - 30) : match.end() + 12]):
            continue
        if not reported.match(tail) or _UNDO_HARMLESS.search(tail):
            return True
    return False


# For orders to the machine only an explicit quotation of the words as words is harmless.
_SINGLE_QUOTED = re.compile(
    r"^[^.\n]{0,20}?['\"”’」]?(?:이라는|라는|란|라고).{0,20}(?:문자열|문구|메시지|메일|글|경고|찍|뜨|떠|적혀|써|입력)"
)
