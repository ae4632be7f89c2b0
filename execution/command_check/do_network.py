"""Programs that speak to other hosts: asking for a page or a port is routine, sending and fetching files isn't."""

import re
from collections.abc import Sequence

from execution.command_check.context import CLASS, QUERY, UNKNOWN, WILD, Context
from execution.command_check.hosts import check_host, check_name, check_server, is_local
from execution.command_check.options import parse, spec_of
from execution.command_check.paths import absolute, check_output, check_read, is_secret
from execution.command_check.secret_names import is_guarded_name, is_secret_name
from execution.command_check.words import shown

_CURL = spec_of(
    "sSfkiIvLgN46#",
    "m:n o:x w:x A:x e:x r:x H:x X:x",
    "silent show-error fail insecure include head verbose location max-time=n connect-timeout=n output=x write-out=x user-agent=x header=x request=x retry=n retry-delay=n compressed noproxy=x http1.1 http2 tlsv1.2 resolve=x no-buffer globoff no-progress-meter retry-connrefused range=x",
    "x*",
)
_WGET = spec_of(
    "qSvd",
    "O:x T:n t:n",
    "quiet spider server-response timeout=n tries=n no-check-certificate output-document=x no-verbose no-proxy",
    "x*",
)
_ACTS = re.compile(
    r"shutdown|manager|undeploy|deploy|reload|stop|start|kill|delete|remove|drop|flush|exec|eval|cmd|command|admin|heapdump|threaddump"
    r"|env\b|configprops|logfile|jolokia|refresh|restart|console|shell|script|reset|update|insert|import|token|secret|passw"
    r"|actuator/(?!(health|info|metrics|prometheus)\b)|_search|_mget|_source|_all_docs|/_?doc/|/kv/|/v2/keys|backup|export|\.git\b|WEB-INF"
    r"|download|upload|\.(sh|jsp|key|pem|sql|war|zip|gz)$",
    re.IGNORECASE,
)
#: Pages that are asked for to see whether anything answers.
_PAGE = re.compile(r"/([\w-]+/)?(index|main|login|health\w*|check\w*|alive|test)\.(jsp|do|html?|php)")
#: Pages that only tell how a server is, and take options for it.
_STATUS = re.compile(
    r"/([\w./-]*/)?(server-status|nginx_status|stub_status|basic_status|status|health\w*|ping|metrics|_cat/\w+|_cluster/\w+|_nodes/stats)"
    r"\?[\w=&,.:%-]*"
)


def curl(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _CURL)
    options = dict(parsed["options"])
    target = options.get("o", options.get("output", ""))
    method = options.get("X", options.get("request", "GET"))
    if method not in ("GET", "HEAD", "OPTIONS"):
        verdict = context.block if method not in ("POST", "PUT", "PATCH") else context.escalate
        verdict(f"a request that changes: {shown(method)}")
    for name, value in parsed["options"]:
        if name in ("H", "header", "A", "user-agent", "e", "w", "write-out", "resolve") and value.startswith("@"):
            check_read(context, value[1:])
        if name in ("w", "write-out") and "%output{" in value:
            context.block("writes a file")
        if name == "resolve":
            check_server(context, value.split(":", 2)[-1])
        if name not in ("o", "output", "w", "write-out") and WILD in value:
            context.block("sends values in the address")
    told = "".join(value for name, value in parsed["options"] if name not in ("o", "output", "m", "max-time"))
    if not UNKNOWN.isdisjoint(told) and not all(is_local(_host_of(url)) for url in parsed["operands"]):
        context.block("sends values in the address")
    is_shown = target in ("", "-") and not options.keys() & {"I", "head"}
    _asked(context, parsed["operands"], target, is_shown=is_shown)


def _host_of(url: str) -> str:
    return re.sub(r"^https?://", "", url).partition("/")[0].partition(":")[0]


def wget(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _WGET)
    options = dict(parsed["options"])
    target = options.get("O", options.get("output-document", ""))
    if "spider" not in options and not target:
        context.escalate("downloads a file")
    _asked(context, parsed["operands"], target, is_shown=target == "-")


def _asked(context: Context, urls: Sequence[str], target: str, *, is_shown: bool) -> None:
    if target not in ("", "-", "/dev/null"):
        check_output(context, target)
        context.escalate(f"downloads to {shown(target)}")
    if not urls:
        context.escalate("a request without an address")
    for url in urls:
        _url(context, url, is_shown=is_shown)


def _url(context: Context, url: str, *, is_shown: bool) -> None:
    url = url.replace(QUERY, "?").replace(CLASS, "[")
    match = re.fullmatch(r"(?:(https?)://)?(\[[0-9a-fA-F:.]+\]|[^/:?#@\[\]]+)(?::([\d\x04*]+))?([/?#][^\s]*)?", url)
    if match is None:
        context.block(f"an address that isn't plain: {shown(url)}")
        return
    _scheme, host, _port, path = match.groups()
    check_host(context, host)
    if WILD in host or "\x04" in host:
        context.escalate("an address that isn't fixed")
    path = path or "/"
    if not UNKNOWN.isdisjoint(path):
        context.block("sends values in the address")
    elif is_secret_name(path) or is_guarded_name(path):
        context.block(f"reads a secret: {shown(path)}")
    elif (
        not _PAGE.fullmatch(path)
        and _ACTS.search(re.sub(r"\brefresh=\d+", "", path))
        and not path.startswith("/actuator/health")
    ):
        context.escalate(f"an address that may act: {shown(path)}")
    elif (
        "?" in path
        and not re.fullmatch(r"[^?]*\?(pretty|v|auto|stats(;csv)?|format=\w+)", path)
        and not _STATUS.fullmatch(path)
    ):
        context.escalate(f"an address with parameters: {shown(path)}")
    elif is_shown and not is_local(host):
        context.escalate(f"fetches from {shown(host)}")


#: Words that ZooKeeper, memcached and HAProxy answer with their state.
_ASKS = re.compile(
    r"\s*(?:ruok|stats?|mntr|srvr|isro|show (?:info|stat|servers state|pools|backend|version)|stats (?:items|slabs))\s*"
)


def _asks_for_state(context: Context) -> bool:
    return context.stdin.text is not None and _ASKS.fullmatch(context.stdin.text) is not None


def socat(context: Context, argv: Sequence[str]) -> None:
    """A fixed question to the socket of HAProxy; everything else opens a channel."""
    ends = set(argv[1:])
    socket = next(
        (
            word
            for word in argv[1:]
            if re.fullmatch(r"(?:unix-connect:|UNIX-CONNECT:)?/(?:var/)?(?:run|lib)/haproxy[\w/.-]*", word)
        ),
        "",
    )
    if len(argv) != 3 or not socket or not ends - {socket} <= {"-", "stdio", "STDIO"} or not _asks_for_state(context):
        context.block("opens a channel to another host")


def netcat(context: Context, argv: Sequence[str]) -> None:
    """`nc -z` asks whether a port is open; a fixed question to this host is a look; everything else opens a channel."""
    words = re.sub(r"(?<!\S)-(?:[nvN]+|[wq] ?\d+)(?!\S)", "", " ".join(argv[1:])).split()
    if len(words) == 2 and words[1].isdigit() and _asks_for_state(context):
        check_server(context, words[0])
        return
    rest = [word for word in argv[1:] if word.startswith("-")]
    for word in argv[1:]:
        check_name(context, word)
    letters = "".join(word[1:] for word in rest if not word.startswith("--"))
    if "z" in letters and set(letters) <= set("zvnw4u0123456789") and not any(word.startswith("--") for word in rest):
        return
    context.block("opens a channel to another host")


def telnet(context: Context, argv: Sequence[str]) -> None:
    if len(argv) == 3 and re.fullmatch(r"[\d\x04]+", argv[2]):
        check_server(context, argv[1])
    else:
        context.escalate("a session on another host")


_DIG = re.compile(r"\+(short|trace|noall|answer|nocomments|tcp|norecurse|time=\d+|tries=\d+|stats|nostats)")


def dig(context: Context, argv: Sequence[str]) -> None:
    for word in argv[1:]:
        if (
            (word.startswith("+") and not _DIG.fullmatch(word))
            or (word.startswith("-") and word not in ("-x", "-t", "-4", "-6"))
            or word.lower().partition("=")[0] in ("axfr", "ixfr")
        ):
            context.escalate(f"dig {shown(word)} isn't known here")
        elif not UNKNOWN.isdisjoint(word):
            context.block("sends values in a name")


_OPENSSL = spec_of(
    "",
    "",
    "noout text enddate startdate dates subject issuer serial fingerprint pubkey modulus in=m inform=x checkend=n connect=x servername=l showcerts brief CAfile=m untrusted=m CApath=m sha256 sha1 sha512 md5 hash nameopt=x ext=x email purpose alias ocsp_uri verify_return_error tls1_2 tls1_3 tls1_1 tls1 nodes starttls=x verify=n r hex nextupdate lastupdate crlnumber",
    "m*",
)
_OPENSSL_LOOKS = frozenset(
    ("x509", "req", "crl", "s_client", "verify", "dgst", "version", "ciphers", "asn1parse", "sha256", "md5")
)


def openssl(context: Context, argv: Sequence[str]) -> None:
    if len(argv) < 2 or argv[1] not in _OPENSSL_LOOKS:
        verdict = (
            context.block
            if len(argv) > 1 and argv[1] in ("enc", "rsa", "pkey", "pkcs12", "ec", "pkcs8", "s_server")
            else context.escalate
        )
        verdict(f"openssl {shown(argv[1]) if len(argv) > 1 else ''} isn't a look")
        return
    words = [argv[0], *(f"-{word}" if re.fullmatch(r"-[a-zA-Z]\w+", word) else word for word in argv[2:])]
    if argv[1] in ("version", "ciphers"):
        if not all(re.fullmatch(r"-[avdfpobs]|-V|-tls1(_\d)?|-stdname|[\w:!+@=-]*", word) for word in argv[2:]) or any(
            word.startswith(("-prov", "-eng", "-conf", "-rand", "-writerand", "-propq")) for word in argv[2:]
        ):
            context.escalate(f"openssl {shown(argv[1])} isn't a look")
        return
    parsed = parse(context, [*words], _OPENSSL)
    options = dict(parsed["options"])
    if argv[1] == "s_client":
        stdin = context.stdin
        if not options.get("connect") or stdin.text is None or stdin.text.strip() not in ("", "Q", "quit"):
            context.escalate("a session on another host")
        check_host(context, options.get("connect", "x").rsplit(":", 1)[0])
        check_name(context, options.get("servername", ""))
        if not is_local(options.get("connect", "").rsplit(":", 1)[0]) and not UNKNOWN.isdisjoint(
            options.get("connect", "")
        ):
            context.escalate("an address that isn't fixed")
    if argv[1] == "req" and "new" in options:
        context.escalate("makes a key")
    for name, value in parsed["options"]:
        is_certificate = argv[1] != "asn1parse" and re.search(r"\.(pem|key|p12|pfx)", value)
        if name == "in" and not is_certificate and is_secret(absolute(context, value)):
            context.block(f"reads a secret: {shown(value)}")


_KEYTOOL = spec_of(
    "v", "", "list v keystore=m storepass=x alias=x storetype=x rfc printcert file=m sslserver=U help noprompt", ""
)


def keytool(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, [argv[0], *(f"-{w}" if re.fullmatch(r"-[a-z]\w+", w) else w for w in argv[1:])], _KEYTOOL)
    if not dict(parsed["options"]).keys() & {"list", "printcert", "help"} or parsed["operands"]:
        context.escalate("changes or shows keys")


_TCPDUMP = spec_of("nNqvltSXAeDpUK", "i:x c:n s:n r:r", "", "x*")


def tcpdump(context: Context, argv: Sequence[str]) -> None:
    options = dict(parse(context, argv, _TCPDUMP)["options"])
    if not options.keys() & {"c", "D", "r"} or options.keys() & {"A", "X"}:
        context.escalate("records traffic, with what is in it")


HANDLERS = {
    "curl": curl, "wget": wget, "nc": netcat, "ncat": netcat, "netcat": netcat, "socat": socat, "telnet": telnet, "dig": dig,
    "openssl": openssl, "keytool": keytool, "tcpdump": tcpdump,
}  # fmt: skip
