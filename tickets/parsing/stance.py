"""Is something asked for at all, and is it urgent?"""

import re

from .normalise import Normalised

_ASKED = re.compile(
    r"부탁|요청(?!드린|드렸|했|하신|한건|한것)|해주|해줘|주세|주시(?:면|길|기|겠|고|어|ㄹ|압|라|오)|바랍|바람|바래|요망|하시오|하세요|please|要|봐주|봐줘|조치(?:해|요|필)|"
    r"해야(?:됩|돼|되|합|해)|필요(?:합|해|할)|(?:해|려|줘|워|춰|꿔|봐|켜|꺼|여|켜라|해라|하라)[.!~ㅠㅜ요]*$|주실수|줄수|주십|시오$|요망|실행해|변경해|돌려봐|삭제$|정리$|점검$|확인$|수정$|교체$|배포$|재기동$|재시작$|재부팅$|체크$|could|canyou|need"
)
_STATUS_QUESTION = re.compile(
    r"(?:됐|되었|된|끝났|완료됐|완료되었|반영됐|처리됐|나왔|진행됐|하셨|했)(?:나요|는지요|을까요|건가요|습니까|어요\?|나여|ㄴ가요|죠\?|지요\?)|인건가요|아직인가요|"
    r"언제(?:쯤|까지)?.{0,24}(?:나요|까요|예정|인가요|되죠|돼요|되요|됩니까|하나요|건지|\?)|어떻게되(?:고|어|나|었|가)|진행(?:상황|현황|중인|되고있)|(?:처리|진행|접수)(?:상태|현황|결과)(?:가|는|를)?(?:어떻|어찌|알려|궁금|언제)|누가.{0,40}(?:나요|는지|까요|습니까|죠|\?)|어디까지|"
    r"(?:얼마나|몇분|몇시간|며칠).{0,10}(?:걸려|걸리|소요)|궁금|(?:요청|말씀|부탁|신청|접수|문의)(?:드린|했던|드렸던|하신|하신다던|한)(?:거|건|것)?.{0,20}(?:됐는지|되었는지|됐나|됐어|완료됐|반영됐|처리됐|어떻게|언제|진행|상황)|"
    r"(?:뭐|무엇|어디|누구|어느분|어떤분|왜)[^.\n]{0,20}(?:죠|지요|나요|까요|가요|에요|예요|\?)[?ㅠㅜ~!]*$|isit(?:done|finished)|hasthe.{0,40}been|whenwill|whatisthestatus|anyupdate|howlong|didyou|haveyou"
)
_CLOSING = re.compile(
    r"감사(?:합니|해요|드립|드려|했)|고맙|thank|thx|잘못걸|잘못보|잘못올|오발송|무시하(?:셔도|시면|세요|시기)|무시해(?:주|도)|테스트(?:입니다|메시지|메세지|발송|중입|문자|예요|에요|입니당)|해결(?:했|됐|되었|완료)|확인(?:했|됐|완료)|알겠|알았|"
    r"완료(?:했|됐|되었|확인|하였|입니다)|취소(?:할|하겠|해주|합니|요청|부탁|드|됐)|수고하|괜찮아졌|정상(?:접속|작동|동작)됩|정상화|네네|넵|ㅋㅋ|안녕하세요$|좋은아침|반갑|식사|회의(?:는|시간|자료)?|공유드립니다$|참고(?:하세요|바랍니다|부탁)|안내드립니다|looksgood|nevermind|resolved|fixednow|workingnow|점심|휴가|(?:공지|안내|공유|전달)(?:드립|드려|했|나갔)|나갔습니다|예정입니다$|예정이(?:니|에요|라고)|참고(?:로|하)"
)
_CANCELLED = re.compile(
    r"(?:요청|신청|접수|작업|건|것|배포|재기동|재부팅)(?:은|는|을|를|건|한거|드린거|드린건|드린것|했던거)?(?:은|는)?취소|안하셔도(?:됩|돼|되)|안해주셔도|하지않으셔도|필요없(?:게|어졌|습니다)|잘못(?:보냈|올렸|걸었)|무시하(?:셔도|세요|시면)|무시해(?:주|도)|pleaseignore|testmessage|(?:ignore|disregard)this"
)
_ACKNOWLEDGED = re.compile(
    r"(?:완료(?:된것)?|된것|되는것)?확인(?:했|됐|완료)|해결(?:했|됐|되었)|(?:됐|되었)(?:습니다|네요|어요)$|완료(?:했|되었|됐)"
)
_ASKED_HARD = re.compile(
    r"부탁(?:드|해|합|좀|$)|해주세|해줘|주세요|주시기|바랍니다|바람|요망|요청(?:드립|합니|$|\.|\n)|주시면|해야|주실|please|시겠어요"
)

_INSTEAD = re.compile(r"(?:말고|마시고|않고|금지하고|대신).{1,60}?(?:부탁|해주|해줘|주세요|바랍|요청)")
_COURTESY = re.compile(
    r"안녕(?:하세요|하십니까|하신가요|히계세요|히가세요)?|수고(?:가많|많|하|들)[가-힣]*|고생(?:이많|많|하)[가-힣]*|(?:좋은|즐거운|행복한|편안한|건강한)(?:하루|아침|오전|오후|저녁|밤|주말|한주|명절|연휴|추석|설|시간|점심)(?:되|보내|입니다|이에요)?[가-힣]*|"
    r"반갑습니다|처음뵙겠습니다|(?:정말|항상|늘|매번|대단히|너무)?(?:감사|고맙)[가-힣]*|새해복[가-힣]*|맛있게[가-힣]*|들어가세요|굿모닝|다름이아니라|(?:담당자|주무관|대리|과장|선생|운영팀|관리자|팀장|여러분|매니저)(?:님들?)?(?:께)?|네+|넵+|예|^아|hello|hi|goodmorning|thankyou|thanks"
)
_COURTESY_START = re.compile(
    r"^(?:안녕하세요|안녕하십니까|수고하(?:세요|십니다|시네요)|수고많으(?:세요|십니다))[.,!~^ㅎㅋ]*"
)

_NOT_URGENT = re.compile(
    r"급한?(?:건|거|것|일)?(?:은|는|이|지는|하지는|하진|하지|진)?(?:아니|아닙|아님|않)|안급|천천히|급할건없|여유있|noturgent|norush|nohurry|시간(?:될|나실|되실)때|(?:빠른|빨리).{0,12}(?:감사|고맙)|급하지|빠른시일|긴급(?:한)?(?:건|은|상황|사항)?(?:은|이)?(?:아니|아닙)|급여|급식|긴급(?:복지|재난|구호|신고|문자|연락|생계|지원)"
)
_URGENT = re.compile(
    r"급해|급하|급합|급히|긴급|시급|빨리|빠르게|빠른(?:조치|처리|확인|대응|복구|답)|당장|즉시|얼른|서둘러|asap|urgent|immediately|rightnow|rightaway|critical|초비상|난리|지금바로|1분1초|신속"
)
_DOWN = re.compile(
    r"응답(?:이)?(?:없|을안|을하지않)|무응답|멈췄|멈춤|멈춰(?:있|버|서(?!주))|멈춘상태|다운(?:됐|되|돼|이|상태|된|입|$)|죽었|죽은듯|죽어있|뻗었|뻗어|먹통|(?<![\d/:.,])50[23](?![\d:,])|게이트웨이|badgateway|serviceunavailable|접속(?:이|도)?(?:전혀|아예)?(?:안[되돼됩]|불가|못하)|(?:페이지|화면|홈페이지|사이트)(?:가|이)?(?:아예|전혀)?안(?:열|떠|뜨|나와|보)|서비스(?:가)?(?:중단|불가|안[되돼됩])|(?:전면|전체|서비스|시스템)장애|장애(?:발생|상황|중|입니|예요|났)|(?:isdown|aredown|wentdown|outage|notresponding|unreachable|hashung)|인증서(?:가)?(?:이미|어제|오늘|방금)?만료(?:됐|되었|돼서|된|되어|됨)|expired(?:cert)?|certificatehasexpired|ping(?:도)?(?:이)?안|kernelpanic|패닉"
)
_NOT_DOWN = re.compile(
    r"간헐|가끔|종종|자꾸|때때로|intermittent|느[려리림]|지연|slow|예전에|지난번|(?:났|됐|죽었|멈췄|다운됐)다가|다시(?:정상|살아)|풀렸|했던|이력|원인분석만|대비|모의|훈련"
)


def is_urgent(doc: Normalised) -> bool:
    """Explicit wording, or something is down for its users right now."""
    text = doc.compact
    if _URGENT.search(_NOT_URGENT.sub("\x00", text)):
        return not re.search(r"급한?(?:건|거|것)?(?:은|는)?(?:아니|아닙)", text)
    return bool(_DOWN.search(text)) and not _NOT_DOWN.search(text)


def asks_for_work(
    doc: Normalised, *, has_intent: bool, has_danger: bool, only_forbidden: bool = False
) -> tuple[bool, str]:
    """Whether work is asked for, and the code of the reason. `only_forbidden`: the work named is ruled out.

    A danger counts as asked for, except in a plain question or a withdrawal: what is not asked for can't be carried
    out, and the danger is reported all the same.
    """
    text = doc.compact
    if not any(char.isalnum() for char in text):
        return False, "empty"
    if not any(char.isalnum() for char in _COURTESY.sub("", text)):
        return False, "greeting"
    text = _COURTESY_START.sub("", text)
    hard = bool(_ASKED_HARD.search(text))
    if has_danger and (hard or not (_STATUS_QUESTION.search(text) or _CANCELLED.search(text))):
        return True, "dangerous_request"
    if only_forbidden and not _INSTEAD.search(text):
        return False, "prohibition"
    if _CANCELLED.search(text) and not re.search(r"(?:대신|말고).{0,40}(?:부탁|주세요|요청)", text):
        return False, "withdrawn"
    if (question := _STATUS_QUESTION.search(text)) and not _ASKED_HARD.search(text, question.end()):
        before = text[: question.start()]
        if not (hard and _ASKED_HARD.search(before) and len(text) > 60):
            return False, "status_question"
    if (_ACKNOWLEDGED.search(text) or _CLOSING.search(text)) and not hard:
        return False, "closing_words"
    if has_intent:
        return True, "work_recognised"
    return (True, "asked") if hard or _ASKED.search(text) else (False, "nothing_asked")
