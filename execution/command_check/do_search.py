"""`grep`, `find` and `xargs`."""

import re
from collections.abc import Sequence

from execution.command_check.context import NO_STDIN, STAR, TAME, WILD, Context, Surroundings, is_static
from execution.command_check.options import parse, spec_of
from execution.command_check.paths import absolute, check_found, check_output, check_read, check_tree, in_app, is_secret
from execution.command_check.secret_names import is_guarded_name, is_policy_name
from execution.command_check.words import shown

_GREP = spec_of(
    "aEFGHIPRTUZbchilnoqrsvwxyz#",
    "ABCm:n e:x f:r d:x D:x",
    "color=x? colour=x? count ignore-case invert-match line-number no-filename with-filename recursive regexp=x include=x exclude=x exclude-dir=x only-matching quiet after-context=n before-context=n context=n max-count=n line-buffered extended-regexp fixed-strings perl-regexp word-regexp files-with-matches no-messages text",
    "x*",
)
_CREDENTIAL = re.compile(r"pass?w|secret|credential|token|api.?key|private|BEGIN|jdbc|(^|\W)pwd", re.IGNORECASE)
#: `password=`: what stands behind it, in a log or in the list of processes, is one.
_VALUE = re.compile(
    r"(pass(w(or)?d)?|passphrase|pwd|secret|token|api[_-]?key|credential)[\"']?(\\s\*|\s)*\\?[=:]|bearer|authorization",
    re.IGNORECASE,
)
#: In settings, a few letters are enough to find one.
_SHORT = re.compile(r"(?i)pass|(^|[^a-z])pw([^a-z]|$)")
_SOUGHT = re.compile(_CREDENTIAL.pattern.replace("|BEGIN", "").replace("|private", ""), re.IGNORECASE)
_VAGUE = re.compile(r"[\s.*^$\\+?|()\[\]:=-]*")


def grep(context: Context, argv: Sequence[str]) -> None:
    """Lines with a fixed text. A pattern for secrets, or one that fits everything, shows more than that."""
    parsed = parse(context, argv, _GREP)
    letters = {name for name, _value in parsed["options"]}
    patterns = [value for name, value in parsed["options"] if name in ("e", "regexp")]
    operands = parsed["operands"]
    if not patterns and "f" not in letters:
        patterns, operands = operands[:1], operands[1:]
    files = [word for word in operands if word != "-"]
    is_deep = bool(letters & {"r", "R", "recursive"})
    names_only = bool(letters & {"c", "count", "l", "files-with-matches", "q", "quiet"})
    is_sought = any(_CREDENTIAL.search(pattern) for pattern in patterns) and not names_only and "v" not in letters
    sources = files if files or is_deep else context.stdin.files
    if is_sought and (is_deep or sources) and not (sources and all(map(_tells_none, sources))):
        context.block("looks for secrets")
    if not names_only and "v" not in letters and any(map(_VALUE.search, patterns)):
        context.block("looks for secrets")
    if not names_only and any(map(_SHORT.search, patterns)) and any(map(_is_setting, sources)):
        context.block("looks for secrets")
    if not files and not is_deep:
        return
    is_wide = not names_only and (
        bool(letters & {"v", "invert-match", "A", "B", "C", "context", "f"}) or any(map(_is_vague, patterns))
    )
    for word in files or ["."]:
        if is_deep and is_wide:
            check_tree(context, word)
        else:
            check_read(context, word, whole=is_wide)
        if is_deep and absolute(context, word) in ("/", "/etc", "/root", "/home", "/var", "/proc"):
            context.block(f"searches all of {shown(word)}")


def check_sought(context: Context, program: str, files: Sequence[str]) -> None:
    """A program of `awk` or `sed` may look for secrets as well as `grep` does."""
    if (_SOUGHT.search(program) and any(word != "-" for word in files) and not all(map(_tells_none, files))) or (
        _VALUE.search(program) and not program.startswith("s")
    ):
        context.block("looks for secrets")


def _is_setting(word: str) -> bool:
    return is_guarded_name(word) or (bool(re.search(r"/(conf|config)(/|$)", word)) and not is_policy_name(word))


def _tells_none(word: str) -> bool:
    """Logs, and files that say what passwords must be like."""
    return is_policy_name(word) or bool(re.search(r"\.(log|out)([.-][\w.-]*)?$|/logs?/", word))


def _is_vague(pattern: str) -> bool:
    bare = re.sub(r"\[\^?\]?[^\]]*\]|\\[wWsSdD]", "", pattern)
    return WILD in pattern or any(_VAGUE.fullmatch(part) or len(part) < 2 for part in re.split(r"\\?\|", bare))


#: expression → how many words follow
_FIND = {
    name: count
    for count, names in {
        0: """-print -print0 -ls -type-f -mount -xdev -depth -daystart -empty -readable -writable -executable -nouser -nogroup -prune
            -quit -not ! -a -o -and -or ( ) -true -false , -noleaf -ignore_readdir_race -warn -nowarn""",
        1: """-name -iname -path -ipath -wholename -regex -iregex -regextype -type -size -mtime -mmin -atime -amin -ctime -cmin -newer
            -newermt -anewer -cnewer -user -group -uid -gid -perm -links -inum -maxdepth -mindepth -printf -fstype -lname -xtype
            -samefile -used""",
    }.items()
    for name in names.split()
}
_LOOKS = frozenset(
    [
        "ls",
        "stat",
        "wc",
        "grep",
        "egrep",
        "fgrep",
        "zgrep",
        "file",
        "md5sum",
        "sha256sum",
        "sha1sum",
        "cksum",
        "du",
        "basename",
        "dirname",
        "echo",
        "readlink",
        "zcat",
        "head",
        "tail",
        "test",
    ]
)
#: They show names, sizes and sums, and no content.
_NAMES = frozenset(
    [
        "ls",
        "stat",
        "wc",
        "file",
        "md5sum",
        "sha256sum",
        "sha1sum",
        "cksum",
        "du",
        "basename",
        "dirname",
        "echo",
        "readlink",
        "test",
        "gzip",
        "kill",
        "rm",
    ]
)
_PACKS = frozenset(("gzip", "bzip2", "xz", "compress"))


def find(context: Context, argv: Sequence[str]) -> None:
    words = list(argv[1:])
    while words and words[0] in ("-L", "-H", "-P", "-O3", "-O2"):
        words.pop(0)
    roots: list[str] = []
    while words and not words[0].startswith("-") and words[0] not in ("!", "("):
        roots.append(words.pop(0))
    roots = roots or ["."]
    while words:
        word = words.pop(0)
        if word in _FIND:
            if words[: _FIND[word]] and is_secret(f"/{words[0]}") and "-exec" in words:
                context.block("looks for secrets")
            del words[: _FIND[word]]
        elif word in ("-exec", "-execdir"):
            words = _run_on_found(context, roots, words)
        elif word == "-delete":
            _found_are_changed(context, roots, "removes files")
        elif word in ("-fprintf", "-fprint", "-fprint0", "-fls"):
            check_output(context, words.pop(0) if words else WILD)
            context.escalate("find writes a file")
            del words[: word == "-fprintf"]
        else:
            context.escalate(f"find: {shown(word)} isn't known here")
            return


def _run_on_found(context: Context, roots: Sequence[str], words: list[str]) -> list[str]:
    end = next(
        (at for at, word in enumerate(words) if word == ";" or (word == "+" and at and words[at - 1] == "{}")), -1
    )
    if end < 0:
        context.escalate("find -exec without an end")
        return []
    inner = words[:end]
    name = inner[0] if inner else ""
    if name not in _NAMES and not (name in ("grep", "egrep", "zgrep") and {"-l", "-c", "-q"} & set(inner)):
        for root in roots:
            check_found(context, root)
    is_script = name in ("sh", "bash") and inner[1:2] == ["-c"] and "{}" not in "".join(inner[2:3])
    for root in roots[:8]:
        found = f"{root.rstrip('/')}/{STAR}x"
        there = replace_stdin(context)
        if is_script:  # it may look, but nothing there is the application's to be changed
            there.surroundings = Surroundings((), (), ())
        context.judge_argv(there, [word.replace("{}", found) for word in inner])
    if is_script:
        return words[end + 1 :]
    if name in _PACKS and len(inner) <= 3 and all("/log" in absolute(context, root) for root in roots):
        return words[end + 1 :]
    if name not in _LOOKS:
        _found_are_changed(context, roots, f"runs {shown(name)} on files")
    return words[end + 1 :]


def _found_are_changed(context: Context, roots: Sequence[str], what: str) -> None:
    for root in roots:
        path = absolute(context, root)
        is_bounded = path.startswith(tuple(f"{app}/" for app in context.surroundings.app)) and is_static(path)
        is_precious = bool(set(path.split("/")) & {"data", "db", "conf", "keys", "backup", "upload"})
        if is_bounded and not is_precious:
            context.escalate(f"{what} below {shown(path)}")
        else:
            context.block(f"{what} below {shown(path)}")


def replace_stdin(context: Context) -> Context:
    inner = context.inner()
    inner.stdin = NO_STDIN
    return inner


_XARGS = spec_of(
    "0rtpx",
    "nPLsd:x I:x i:x E:x a:r",
    "null no-run-if-empty max-args=n max-procs=n max-lines=n delimiter=x arg-file=r replace=x? verbose",
    "",
)
_VALUED = frozenset("nPLsdIEa")


#: What is asked about a process, a container or a host by its number or name.
_ASK_ONE = frozenset(
    "ps jstack jstat jinfo jcmd jmap pmap lsof pwdx pstree top pidstat docker kubectl id getent host nslookup".split()
)


def xargs(context: Context, argv: Sequence[str]) -> None:
    """The command with words that come from outside: what they may be is known where a list of files is piped in."""
    at, replaced = 1, ""
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "-":
        word = argv[at]
        is_split = len(word) == 2 and word[1] in _VALUED
        if word.startswith("-I"):
            replaced = (argv[at + 1] if is_split and at + 1 < len(argv) else word[2:]) or "{}"
        elif word.startswith(("-i", "--replace")):
            replaced = "{}"
        at += 2 if is_split else 1
    parse(context, argv[:at], _XARGS)
    inner = list(argv[at:]) or ["echo"]
    text = context.stdin.text
    roots = context.stdin.roots
    if replaced and not any(replaced in part for part in inner):
        context.judge_argv(replace_stdin(context), inner)
        return
    if context.stdin.is_tame and inner[0] in _ASK_ONE:
        command = [part.replace(replaced, TAME) for part in inner] if replaced else [*inner, TAME]
        context.judge_argv(replace_stdin(context), command)
        return
    found = text.split()[:16] if text is not None else [f"{root.rstrip('/')}/{STAR}x" for root in roots] or [WILD]
    if text is not None and not replaced:
        context.judge_argv(replace_stdin(context), [*inner, *found])
        return
    if text is None and inner[0] not in _LOOKS and inner[0] not in ("cat", "kill"):
        context.escalate(f"runs {shown(inner[0])} on words that come from outside")
    if found == [WILD] and inner[0] == "rm" and _is_listed(context) and set(inner[1:]) <= {replaced}:
        return  # by a list of the application's, which the officer can look at
    if inner[0] not in _NAMES:
        for root in roots:
            check_found(context, root)
    for word in found[:8]:
        command = [part.replace(replaced, word) for part in inner] if replaced else [*inner, word]
        context.judge_argv(replace_stdin(context), command)


def _is_listed(context: Context) -> bool:
    """What is read is the content of plain files of the application."""
    paths = [absolute(context, file) for file in context.stdin.files]
    return bool(paths) and all(is_static(path) and in_app(context, path) for path in paths)


def roots_of(argv: Sequence[str], cwd: str) -> tuple[str, ...]:
    """The paths that a `find` or `ls` prints are below these."""
    if not argv or argv[0] not in ("find", "ls"):
        return ()
    words = [word for word in argv[1:] if not word.startswith("-")] if argv[0] == "ls" else []
    for word in argv[1:] if argv[0] == "find" else ():
        if word.startswith(("-", "!", "(")):
            break
        words.append(word)
    if "-printf" in argv:  # a text of the line's own
        return ()
    if any(is_secret(f"/{word}") for word in argv[1:]):
        return ("/",)
    return tuple(word if word.startswith("/") or not cwd else f"{cwd}/{word}" for word in words or [cwd or "."])
