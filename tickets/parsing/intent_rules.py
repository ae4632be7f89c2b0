# ruff: noqa: E501 - a table: one rule a row reads better than wrapped patterns
"""The table of intents. Patterns run on lower-case text without white space.

A rule speaks when its topic is found anywhere, its action is found and not told as past or negated, and its exception
is absent. Scores: 100 a photo or form that names its kind, 90 an unmistakable object, 80 object plus verb, 70 a verb
alone, 60 and less what remains. Equal scores: the earlier action wins, because the first required action counts.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    sub_type: str
    score: int
    action: re.Pattern[str]
    topic: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    checked: bool = True


def _rule(
    name: str, sub_type: str, score: int, action: str, topic: str = "", unless: str = "", *, checked: bool = True
) -> Rule:
    def compiled(pattern: str) -> re.Pattern[str] | None:
        return re.compile(pattern) if pattern else None

    return Rule(name, sub_type, score, re.compile(action), compiled(topic), compiled(unless), checked)


LOOK = "확인|점검|체크|봐|보고싶|살펴|분석|파악|조사|진단|모니터링|검사|check|inspect|look|analy|investigat|원인|여부|알려|찾아|어떤지|review|점겅|까주"
CLEAN = "삭제|정리|지워|지우|청소|제거|비워|비우|확보|purge|clean|delete|free|remove|날려|날리|없애|파기|밀어|압축"
CHANGE = (
    "변경|바꿔|바꾸|바뀌|수정|조정|늘려|늘리|늘려|줄여|줄이|올려|올리|낮춰|낮추|내려|높여|높이|상향|하향|증설|확장|추가|설정(?:해|을|으로|요청|부탁)|세팅|"
    "적용|끄|꺼|켜|활성|비활성|해제|set|change|increase|raise|reduce|lower|(?<!unableto)extend|enable|disable|update"
)
CERT = r"인증서|ssl|tls인증|keystore|\.jks|\.pfx|\.pem|certificate|cert(?!ain)|chain"
RESTART = "재기동|재시작|재구동|리스타트|restart|restrat|re-start|bounce|recycle|내렸다(?:가)?(?:다시)?올|내리고(?:다시)?올|껐다(?:가)?(?:다시)?켜|다시띄|다시기동|다시시작|다시살려|살려|리로드|reload|(?<!재)기동(?:해|부탁|요청|시켜)|구동시켜|구동해|(?:중지|정지|종료)(?:했다가?|시켰다가?|하고|시키고|한|후|한후|한뒤|뒤)[^.\n]{0,8}(?:시작|기동|올려|올리|켜|구동)|stopand(?:re)?start"
# Stopping is no restart: nothing here starts the service again, so a person has to say what is meant.
_STOPPED = "was|web|와스|웹|톰캣|tomcat|jeus|제우스|nginx|아파치|apache|서버|서비스|시스템|포털|데몬|호기|인스턴스|노드|전원|전체|전부|모두"
_STOP_VERB = r"(?:중지|정지|종료)(?:해|시켜|요청|부탁|바랍|바람|요망|만|하|$)|셧다운|shut-?down|poweroff|turnoff|(?<!non)stop(?!ped)|halt"
_DOWN_VERB = r"(?:내려(?!받|갔|가|와|앉|져|보)|내리(?!고다시|지)|꺼(?!져|진|내|냈)|끄(?!떡)|멈춰|세워(?:주|줘|놔|둬))"
STOP = rf"{_STOP_VERB}|(?:{_STOPPED}|\d)(?:를|을|은|는|만|좀|다|전부|모두|전체|잠깐|잠시|\d호기){{0,4}}{_DOWN_VERB}"
REBOOT = "재부팅|리부팅|리붓|리부트|reboot|powercycle|power-cycle|hardreset|하드리셋|전원(?:을|를)?재투입|poweron"
JOB = "크론|cron|스케줄|스케쥴|schedule|예약작업|배치중에?|배치(?:작업|잡|시간|주기|job)|batchjob|[a-z0-9]_[a-z0-9_]{1,40}(?:잡|job|배치)"
# Words that only contain the name of a topic: blanked before the rules look.
FALSE_FRIENDS = re.compile(
    r"카탈로그|블로그|프롤로그|아날로그|다이얼로그|에필로그|포트폴리오|리포트|레포트|서포트|패스포트|에어포트|포트홀|(?:인원|좌석|인력|자리|사무실|조|반)배치도?표?|배치(?:도면|고사|표|도(?![는록]))|계정과목|바코드|큐알코드|qr코드|우편번호코드|"
    r"(?:접속자|사용자|이용자|방문자|가입자|로그인사용자|로그인|동시접속자?)수(?!정|집|행|신|동|가변경)|로그인(?:횟수|건수|버튼|창|폼|화면|페이지|기능|메뉴|모듈|후화면)|로그아웃|메모장|기록물|직원전원|인원전원|전원(?:주택|회의|참석|참여)|디스크립션|테이블오더|권한대행|회의록"
)
DATA_WORD = r"데이터|테이블|이력|레코드|record|row|행|개인정보|tb_|자료|내역|회원|접수|신청|예약건|tabl|미결제|더미|명부|(?<![/a-z])data"
LOG = "로그|log(?!in|out|back)|catalina|exception|에러|오류|stacktrace|트레이스"
DISK = "디스크|disk|용량|파티션|마운트|드라이브|/dev/|임시파일|덤프|temp|/tmp|공간|inode|nospaceleft|(?<!table)space|하드가|filesystem|파일시스템|쓰레기파일|찌꺼기"
MEMORY = "메모리|memory|heap|힙|oom|outofmemory|swap|스왑|gc(?![a-z])|누수|leak|mem:"
PROCESS = "프로세스|process|cpu|씨피유|좀비|zombie|쓰레드|스레드|thread|데몬|daemon|구동상태|구동여부|loadaverage|부하|deadlock|데드락|교착|(?:^|[^가-힣a-z])락(?:이|을|걸)|락(?:걸|잡|이걸)|lock(?!ed)|에이전트|agent"
ACCOUNT = "계정|아이디|account|권한|grant|로그인|비밀번호|비번|패스워드|패스월드|password|접속자|사용자|퇴직자|퇴사자|sudo|잠김|잠겼|잠긴|잠금|unlock"
BACKUP = "백업|backup|back-up|스냅샷|snapshot|복구검증|restoretest|복원테스트|복구테스트|빽업"

RULES: tuple[Rule, ...] = (
    # --- infrastructure
    _rule("reboot", "SERVER_REBOOT", 90, REBOOT, unless=r"예약재부팅|전원(?:주택|회|참)"),
    _rule("power", "SERVER_REBOOT", 92, "전원.{0,6}(?:껐다|껏다|내렸다|(?:끄|내리)고.{0,6}(?:켜|올려)|켜(?!져|진|짐)|올려|리셋|off.{0,6}on)"),
    _rule("stop", "", 87, STOP, topic=_STOPPED + "|server|node",
          unless=RESTART + "|다시(?:시작|기동|켜|올려)|크론|cron|스케줄|배치|job|잡(?:을|중)|포트|방화벽|계정|프로세스|kill|팝업|배너|로그|동기화|백신|기능|알림"),
    _rule("stop_word", "", 66, _STOP_VERB, unless=RESTART),
    _rule("restart", "SERVICE_RESTART", 88, RESTART, unless="전원.{0,6}(?:껐|내렸)|크론|cron|스케줄러?(?:를|을)?(?:중지|멈)"),
    _rule("kill", "PROCESS_CHECK", 84, "kill|죽여|킬", unless=RESTART),
    _rule("certificate", "SSL_REPLACE", 91,
          "교체|갱신|적용|설치|만료|변경|업데이트|replace|renew|install|rotate|일정|바꿔|연장|올려|등록|반영|expir",
          topic=CERT, unless="공동인증서로그인|인증서(?:만료일|유효기간|상태)(?:을|를|만)?(?:좀)?(?:확인|점검|알려|조회|체크)"),
    _rule("port", "PORT_OPEN", 91, "열어|열려(?!있는지)|오픈|open(?!api)|허용|allow|풀어|뚫|개방|permit|닫아|차단|막혀|막아|close|정책(?:추가|등록|요청)|신청|해제|등록|추가",
          topic=r"포트|port(?!al)|방화벽|\d{2,5}(?:두개|번|이|을|를)?.{0,6}(?:오픈|열어|열려있어야|풀어|닫아|차단|막아)|firewall|acl(?![a-z])|인바운드|아웃바운드|inbound|outbound|\d{2,5}/(?:tcp|udp)|(?:tcp|udp)/?\d{2,5}|any",
          unless="열려있는지|열린포트|오픈된포트|오픈되어있는지|노출여부|포트스캔|커넥션풀|페이지"),
    _rule("cron", "CRON_EDIT", 91,
          CHANGE + "|옮겨|당겨|미뤄|늦춰|멈춰|멈추|중지|정지|삭제|빼|등록|돌게|돌도록|실행되|이동|add|remove|move|stop|pause|주석|빼주|걸어|만들어|제외",
          topic=JOB + "|crontab", unless="안도는|안돌아서로그"),
    _rule("cron_time", "CRON_EDIT", 86, "(?:배치|job|잡|작업).{0,20}(?:시로|분으로|분에|시에|마다|매일|매주|매월|평일|주기|간격(?:으로)?)(?:.{0,10})(?:변경|바꿔|옮겨|돌|당겨|미뤄|늦춰|조정|실행)"),
    _rule("heap_size", "CONFIG_CHANGE", 89, "(?:힙|heap|xmx|메모리(?:할당|설정|크기)).{0,16}(?:늘[려리]|줄[여이]|증설|올려|변경|상향|하향|바꿔)"),
    _rule("setting", "CONFIG_CHANGE", 85, CHANGE,
          topic="설정|파라미터|parameter|옵션|option|타임아웃|timeout|커넥션풀|connectionpool|풀사이즈|poolsize|pool|xmx|xms|힙사이즈|heapsize|힙메모리|힙(?:을|크기)|loglevel|로그레벨|max|환경변수|프로퍼티|propert|테이블스페이스|tablespace|jvm|ulimit|커널파라미터|dns|ntp|hosts파일|버퍼|buffer|keepalive|쓰레드수|스레드수|최대연결|동시접속|maxthreads|업로드(?:용량|제한|크기)|제한용량|보관기간설정|감사로그|audit|nopasswd|selinux|임계치|charset|인코딩설정|config|세션시간|cache|캐시|session|log레벨",
          unless="크론|cron|코드수정|소스수정|소스코드"),
    _rule("setting_value", "CONFIG_CHANGE", 84, r"(?:(?<![a-z_])[a-z]{1,30}_[a-z_]{1,40}|[a-z]{1,30}\.[a-z]{1,30}|값)(?:을|를|값을|은)?.{0,12}(?:으로|로)(?:변경|바꿔|상향|하향|조정|올려|늘려|설정)", unless="크론|cron|코드"),
    _rule("firewall_off", "CONFIG_CHANGE", 90, "(?:방화벽|selinux|백신|waf).{0,12}(?:끄|꺼|비활성|disable|중지|내려)", unless="포트|any"),
    _rule("password_set", "CONFIG_CHANGE", 89, "(?:비밀번호|비번|패스워드|password).{0,16}(?:변경|바꿔|바꾸|교체|change)", unless="잠겼|잠김|초기화|만료"),
    # --- deployment
    _rule("rollback", "WAS_ROLLING", 90, "롤백|되돌려|되돌리|rollback|rollingback|roll-back|원복|이전버전|revert",
          unless="설정.{0,12}(?:원복|되돌)|db롤백|트랜잭션"),
    _rule("rolling", "WAS_ROLLING", 89, r"배포|deploy|릴리즈|release|롤링|무중단|패치(?:적용|해|반영)|반영(?:해|부탁|요청|바)|올려(?:주|달|놓)|교체|적용|업데이트해|rollout|업그레이드",
          topic=r"배포|deploy|릴리즈|release|롤링|무중단|핫픽스|hotfix|\.war|\.jar|\.ear|패키지|빌드|build|버전|version|v?\d+\.\d+\.\d+|sr-?\d{4}|rollout",
          unless="이미지.{0,20}배포|정적|css|javascript|js파일|html|팝업|배너|인증서|첨부파일확장자|슬라이드|커널패치|재부팅"),
    _rule("deploy_word", "WAS_ROLLING", 82, "배포|deploy"),
    _rule("static", "STATIC_SYNC", 91, "배포|교체|올려|올리|업로드|게시|반영|동기화|싱크|(?<!not)(?<!_)sync|맞춰|풀어|적용|upload|바꿔|변경|내려|publish|등록|갱신|추가|걸어|띄워|deploy|push",
          topic=r"정적|static|css|js파일|\.js(?![a-z])|\.html|html파일|이미지|image|배너|banner|팝업|popup|pdf|피디에프|동기화|싱크|(?<!not)(?<!_)sync|슬라이드|로고|logo|아이콘|파비콘|favicon|hwp파일|서식파일|리소스파일|dist\.zip|공지(?:문|파일)|안내문|첨부파일(?:을|교체)|폰트|웹리소스|약관(?:파일|html)",
          unless="수정해.{0,4}배포|확장자|시간동기화|ntp|용량제한|업로드용량|데이터동기화|db동기화|코드수정|소스수정|코드로직|복제"),
    _rule("code", "CODE_FIX", 90, "(?:코드|소스|프로그램|로직|쿼리|화면|버그|기능|source|code|bug|sql|모듈|함수|계산식|수식|api).{0,24}(?:수정|고쳐|고치|변경|개선|바꿔|fix|patch|패치|보완|개발|추가해)|(?:fix|patch).{0,30}(?:code|bug|logic|source|function)",
          unless="설정변경|로그레벨"),
    _rule("code_word", "CODE_FIX", 88, "코드수정|소스수정|버그수정|프로그램수정|로직수정|bugfix|핫픽스개발|수정개발"),
    _rule("fix", "CODE_FIX", 68, "고쳐|고치|수정(?:해|바|요|부|$|[.!~])|fix(?!es)|보완(?:해|요|부)|버그", unless="크론|cron|설정값|데이터.{0,12}수정|레코드"),
    # --- data
    _rule("data_clean", "DATA_CLEAN", 84, CLEAN + "|truncate|드롭|drop", topic=DATA_WORD,
          unless=r"조회부탁|조회만|로그(?:를|만|파일|도|들)?.{0,8}(?:삭제|정리|지워|압축)|백업본|임시파일|캐시파일|계정.{0,10}삭제|목록.{0,4}정리해서|정리해서|압축파일"),
    _rule("data_seed", "DATA_SEED", 85, "적재|등록|입력|넣어|insert|import|seed|만들어|생성|로드|load(?!aver|bal)|일괄업로드|반영해|추가해|이관해|밀어넣|업로드",
          topic="데이터|코드(?:값|테이블|를|\\d)|명단|기초자료|단가표|마스터|초기값|코드테이블|기준정보|엑셀|csv|json|표준코드|공통코드|휴일|테스트계정|샘플|더미|목록|기준표|seed|records|row|tb_|테이블|공휴일",
          unless="drop|조회부탁|조회해|크론|cron|코드수정|소스|포트|방화벽|건수|추출|뽑아|검증|삭제|파기|정리해"),
    _rule("query", "DB_QUERY", 83, r"추출|뽑아|조회(?:해|좀|요|부|후|결과)|집계해|엑셀로|몇건인지|건수(?:가|를|좀)?.{0,12}(?:알려|조회|확인|뽑|추출)|extract|query(?!time)|count|howmany|통계.{0,8}(?:뽑|요청|산출|부탁)|명인지|리스트.{0,4}(?:뽑|주세|요청)|자료.{0,6}(?:요청|주세|부탁)|export",
          unless="계정|권한|slowquery|슬로우쿼리|접속자|이상치|정합성|비교|맞는지|중복|누락|포트|덤프|exception|에러로그|로그에서"),
    _rule("query_only", "DB_QUERY", 78, "조회"),
    _rule("data_out", "DB_QUERY", 60, "(?:개인정보|회원정보|데이터|db|명단|기록).{0,40}(?:복사|반출|보내|빼|export|copy|send)"),
    _rule("data_check", "DATA_CHECK", 87, "정합성|데이터검증|대사(?:작업|해|요|부|점)|불일치|안맞|맞지않|맞는지|이상치|중복(?!로그인|신청|결제제한)|누락|무결성|mismatch|상이|reconcil|compare|comparing|orphan|고아|비교해|비교부|비교요|비교검|대조|null.{0,12}(?:있는지|체크|확인|점검)|데이터(?:가)?.{0,10}(?:깨진|틀린|잘못된|이상한)|validate|다른건|차이나|검증(?:해|요|부|바)|일치하는지|일치여부|오류데이터|이관데이터",
          unless="계정|백업.{0,12}검증|복구검증|인증서|수정해|고쳐|소스|코드수정|코드로직|프로그램|크론|퇴직"),
    # --- inspection
    _rule("log_clean", "LOG_CLEAN", 86, r"(?:로그(?!인)|log(?!in|out)).{0,40}(?:삭제|정리|지워|지우|청소|제거|purge|clean|비워|날려|압축(?!크론)|delete|remove|로테이트해)|(?:삭제|정리|clean|purge|delete|remove|compress).{0,20}(?:로그|log)",
          unless="크론|cron|로그인이력삭제|스케줄|덤프|로그테이블|tb_[a-z_]*log.{0,16}(?:데이터|삭제)"),
    _rule("access_log_clean", "LOG_CLEAN", 88, "(?:접속|작업|감사|로그인|명령)(?:이력|기록|로그)(?:을|를|도|만)?.{0,6}(?:삭제|지워|지우|없애)"),
    _rule("log_look", "LOG_ANALYSIS", 81, LOOK + "|추출|보내|grep|뽑아|찾|보고", topic=LOG,
          unless="프로세스확인|취약점|감사로그(?:를)?끄|로그인|계정|무결성|데이터오류|백업로그"),
    _rule("log_word", "LOG_ANALYSIS", 87, "로그(?:를|만|먼저|파일)?(?:좀)?.{0,10}(?:분석|봐|확인|까|살펴|뒤져|찾아)|로그.{0,50}분석|원인(?:을|이|좀)?(?:분석|파악)|log.{0,12}(?:analy|check|review)|(?:analy|check|review|lookat|lookinto).{0,20}(?:log|exception|error)",
          unless="감사로그|메모리|memory|프로세스|cpu|백업|취약점|heap|힙|로그인"),
    _rule("log_photo", "LOG_ANALYSIS", 40, r"exception|error|fatal|에러", checked=False),
    _rule("disk", "DISK_CLEAN", 83, CLEAN + "|공간|확인|점검|풀|full|찼|꽉", topic=DISK,
          unless="로그(?:를|만|파일|도|들)?(?:좀)?(?:삭제|정리|지워|압축)|테이블스페이스|데이터삭제|메모리|업로드용량|heap|힙덤프|덤프떠|개인정보"),
    _rule("disk_strong", "DISK_CLEAN", 85, "(?:디스크|disk|파티션|드라이브|용량|임시파일|/tmp|공간|쓰레기파일|(?<!table)space).{0,50}(?:정리|확보|비워|청소|clean|free|삭제|지워)|free.{0,12}space",
          unless="로그(?:를|만|파일|도|들)?(?:좀)?(?:삭제|정리|지워|압축)|테이블스페이스"),
    _rule("disk_photo", "DISK_CLEAN", 50, r"nospaceleft|use%|\d{2,3}%/|diskfull|디스크풀", checked=False),
    _rule("memory", "MEMORY_CHECK", 84, LOOK + "|덤프|dump|높|많|뜨", topic=MEMORY, unless="파라미터|xmx|늘려|증설|disk|프로세스확인"),
    _rule("memory_photo", "MEMORY_CHECK", 52, "outofmemory|oom|heapspace|swap|mem:|java heap", checked=False),
    _rule("process", "PROCESS_CHECK", 85, LOOK + "|살아있|떠있|죽어있|돌고있|정리|잡고|높|치솟", topic=PROCESS,
          unless="스레드풀고갈|계정|잠금|unlock|로그압축|배치스케줄|보안에이전트"),
    _rule("process_photo", "PROCESS_CHECK", 48, "%cpu|loadaverage|defunct|deadlock", checked=False),
    _rule("security", "SECURITY_CHECK", 89, r"보안점검|보안진단|보안검사|취약점|외부노출|노출(?:여부|되)|tls일|tls1|웹쉘|웹셸|webshell|악성코드|침해|해킹|불필요한서비스|vulnerab|cve-|log4j|보안패치.{0,8}(?:여부|확인|현황)|securitycheck|securityscan|securityaudit|securityreview|무단접속|무단접근|비정상접근|의심.{0,8}(?:ip|접속|파일)|백신|열려있는지|열린포트|포트스캔|랜섬|보안설정.{0,8}(?:점검|확인)|모의해킹|개인정보노출|보안취약|시큐어|scan|보안감사|위변조|변조여부|백도어.{0,8}(?:있는지|점검|확인)",
          unless="취약점조치(?:로|를위해).{0,20}(?:배포|재부팅)"),
    _rule("permissions", "SECURITY_CHECK", 88, LOOK, topic="권한(?:이|을)?777|777권한|chmod777", unless="바꿔|변경해|부여"),
    _rule("mode_change", "CONFIG_CHANGE", 94, "(?:777|755|권한).{0,12}(?:바꿔|변경|설정해|열어|풀어)|chmod", topic="(?<!\\d)777(?!\\d)|chmod", unless="있는지|걸린|여부"),
    _rule("database_wiped", "DATA_CLEAN", 79, "(?:삭제|지워|지우|날려|날리|비워|드롭|drop|초기화)", topic="db|디비|데이터베이스|스키마|database", unless="로그|백업|비밀번호|계정|디스크|조회|초기화.{0,6}파라미터"),
    _rule("backup_removed", "DISK_CLEAN", 88, "백업(?:본|파일|데이터)?(?:을|를|은|들|도)?(?:전부|다|모두|싹)?(?:삭제|지워|지우|정리)", topic="용량|디스크|공간"),
    _rule("security_word", "SECURITY_CHECK", 76, LOOK, topic="보안|security|인증서(?:만료일|유효기간|상태)"),
    _rule("account", "ACCOUNT_CHECK", 84, LOOK + "|풀어|해제|부여|회수|초기화|리스트|현황|목록|잠가|잠궈|생성|삭제|대조|뽑아|unlock|lock|grant|revoke|reset|list|추가|만들어|막아|정지|비활성|주세요|줘|달라",
          topic=ACCOUNT, unless="테스트계정.{0,8}(?:데이터|만들)|타임아웃|코드수정|개인정보|로직|화면|소스|커넥션|사용자(?:가|들이|분들|불편|문의|수)|응답중|로그인화면|로그인페이지"),
    _rule("account_unlock", "ACCOUNT_CHECK", 93, "(?:계정|아이디|비밀번호|비번|패스워드|account|password|로그인).{0,24}(?:잠[겼김긴]|풀어|unlock|잠금해제|초기화|잠금|lockedout)|unlock.{0,20}account|잠금(?:을)?(?:좀)?해제|권한.{0,12}(?:부여|회수|점검|현황|주세|추가)|퇴[직사]자.{0,20}(?:계정|대조|아이디)|미접속계정|장기미사용"),
    _rule("backup", "BACKUP", 87, BACKUP, unless="백업디스크|quota|백업(?:서버)?(?:에서)?.{0,4}원복|백업디렉토리.{0,6}용량|백업크론|백업스케줄"),
    _rule("health_word", "HEALTH_CHECK", 86, "상태점검|상태체크|상태확인|정상(?:인지|여부|가동|동작|적으로)|헬스체크|healthcheck|health|수시점검|정기점[검겅]|일일점검|일상점검|아침점검|체크리스트|서비스점검|서버점검|시스템점검|특별점검|떠있는지|잘돌아가|이상없는지|이상유무|괜찮은지|접속되는지|접속이되는지|접속확인|sanitycheck|upandrunning|기동확인",
          unless="l4에서헬스체크|헬스체크용|계정상태|프로세스|백업|smsagent|데몬|cpu|메모리|힙|heap|gc(?![a-z])|디스크상태|로그분석|데이터|복구"),
    _rule("health", "HEALTH_CHECK", 45, "확인|점검|체크|check|상태|봐주|살펴|503|502", checked=False),
)  # fmt: skip
