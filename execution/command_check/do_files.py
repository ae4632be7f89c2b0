"""Programs that remove, copy, mark and pack files."""

import re
from collections.abc import Sequence

from execution.command_check.context import WILD, Context
from execution.command_check.options import Spec, check_operands, parse, spec_of
from execution.command_check.paths import (
    absolute,
    check_change,
    check_output,
    check_read,
    in_app,
    in_backup,
    is_device,
    is_secret,
    zone_of,
)
from execution.command_check.words import has_glob, shown

_FOLDERS = frozenset(("bin", "scripts", "tomcat", "conf", "lib", "webapps", "jobs"))
_SCRATCH = frozenset(("tmp", "temp", "cache", "work", "trash"))
_RM = spec_of(
    "dfirRvI", "", "force recursive verbose interactive=x? dir one-file-system preserve-root no-preserve-root", "x*"
)
_COPY = spec_of(
    "abfHiLnpPrRTuvxZd",
    "t:x",
    "archive backup=x? force no-clobber interactive parents preserve=x? recursive verbose update no-preserve=x one-file-system sparse=x",
    "x*",
)
_LINK = spec_of("fnsTvr", "", "symbolic force no-dereference verbose relative", "x*")
_MODE = spec_of("cfvRhLHP", "", "changes verbose recursive reference=m quiet silent no-dereference", "x*")
_MKDIR = spec_of("pvZ", "m:x", "parents mode=x verbose", "w*")
_TEE = spec_of("ai", "", "append", "x*")
_GZIP = spec_of("123456789fkqvnrt", "", "best fast keep force verbose test", "x*")
_GZIP_LOOK = spec_of("lLdctqvkf", "", "list test stdout verbose to-stdout decompress", "r*")


_TOUCH = spec_of("acmh", "d:x r:m t:x", "date=x reference=m no-create", "w*")


def touch(context: Context, argv: Sequence[str]) -> None:
    """A mark to compare with may have any date; when a log was written is evidence."""
    parsed = parse(context, argv, _TOUCH)
    check_operands(context, argv[0], parsed["operands"], _TOUCH.operands)
    is_dated = any(name in ("d", "r", "t", "date", "reference") for name, _value in parsed["options"])
    if is_dated and not all(set(absolute(context, word).split("/")) & _SCRATCH for word in parsed["operands"]):
        context.escalate("gives a file another date")


def remove(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _RM)
    letters = {name for name, _value in parsed["options"]}
    is_deep = bool(letters & {"r", "R", "recursive"})
    if "no-preserve-root" in letters:
        context.block("removes in spite of the guard for /")
    for word in parsed["operands"]:
        check_removal(context, word, is_deep=is_deep)


def check_removal(context: Context, word: str, *, is_deep: bool) -> None:
    path = absolute(context, word)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    name = parts[-1] if parts else ""
    is_vague = has_glob(path) and not re.search(r"[\w-]{2,}", name)
    if (
        WILD in path
        or not (in_app(context, path) or path.startswith(("/tmp/", "/opt/", "/srv/", "/data/")))
        or is_secret(path)
        or (is_deep and (has_glob(path) or len(parts) < (3 if path.startswith("/") else 1)))
    ):
        context.block(f"removes {shown(path)}")
    elif is_deep or is_vague or not in_app(context, path) or not _SCRATCH & set(parts[:-1]):
        context.escalate(f"removes {shown(path)}")


def copy(context: Context, argv: Sequence[str]) -> None:
    """`cp`: sources are read, the target is changed."""
    sources, target = _ends(context, argv, _COPY)
    for source in sources:
        path = absolute(context, source)
        if is_secret(path) and not in_app(context, path):
            context.block(f"copies a secret: {shown(path)}")
        elif is_device(path) or path.startswith(("/dev/", "/proc/")):
            context.block(f"copies {shown(path)} over a file")
        elif zone_of(context, target)[0] == "tmp" and any(
            zone_of(context, place)[0] in ("keep", "run") for place in (source, f"{source}/x")
        ):
            context.escalate(f"copies {shown(path)} to where everybody reads")
        elif not in_app(context, path) and not in_backup(context, path):
            check_read(context, source)
            context.escalate(f"copies from outside of the application: {shown(path)}")
    _placed(context, sources, target, "copies to")


def move(context: Context, argv: Sequence[str]) -> None:
    sources, target = _ends(context, argv, _COPY)
    for source in sources:
        _moved_away(context, source, target)
    _placed(context, sources, target, "moves to")


def _moved_away(context: Context, source: str, target: str) -> None:
    zone, path = zone_of(context, source)
    parts = path.split("/")
    if zone == "tmp":
        return
    if zone not in ("app", "served", "backup") or is_secret(path):
        verdict = (
            context.escalate if zone in ("keep", "run") and len(parts) > 3 and not is_secret(path) else context.block
        )
        verdict(f"moves {shown(path)} away")
    elif zone == "backup":
        context.escalate(f"takes {shown(path)} out of the back-up")
    elif path.startswith("/") and len(parts) < 4 and "." not in parts[-1]:
        context.block(f"moves {shown(path)} away")
    elif zone_of(context, target)[0] in ("tmp", "else", "quiet"):
        context.block(f"moves {shown(path)} to {shown(target)}")


def _ends(context: Context, argv: Sequence[str], spec: Spec) -> tuple[list[str], str]:
    parsed = parse(context, argv, spec)
    named = next((value for name, value in parsed["options"] if name == "t"), "")
    operands = parsed["operands"]
    if len(operands) + bool(named) < 2:
        context.escalate(f"{argv[0]} without a target")
        return [], "."
    return (operands, named) if named else (operands[:-1], operands[-1])


def _placed(context: Context, sources: Sequence[str], target: str, what: str) -> None:
    """The file that comes to be, judged under its new name and, where the target is a folder, its old one."""
    zone, _path = zone_of(context, target)
    check_change(context, target, what=what)
    if zone == "served" or target.endswith("/") or "." not in target.rsplit("/", 1)[-1]:
        for source in sources:
            check_change(context, f"{target.rstrip('/')}/{source.rstrip('/').rsplit('/', 1)[-1]}", what=what)
    if zone == "served" and not all(_is_package(context, source) for source in sources):
        context.escalate(f"{what} what is served: {shown(target)}")
    if zone == "quiet":
        context.block(f"{what} {shown(target)}")


def _is_package(context: Context, source: str) -> bool:
    path = absolute(context, source)
    return "/upload" not in path and (
        in_backup(context, path) or bool(re.search(r"\.(war|jar|ear)(\.[\w.\x04-]+)?$", path)) or "/ROOT" in path
    )


def link(context: Context, argv: Sequence[str]) -> None:
    """A link inside of the application, to something inside of it."""
    parsed = parse(context, argv, _LINK)
    if len(parsed["operands"]) != 2:
        context.escalate("a link without both ends")
        return
    source, target = parsed["operands"]
    path = absolute(context, source)
    zone = zone_of(context, target)[0]
    if is_secret(path) or path.startswith("/dev/") or zone in ("else", "quiet"):
        context.block(f"links {shown(target)} to {shown(path)}")
    elif (
        not in_app(context, path)
        or zone != "app"
        or target.rstrip("/").rsplit("/", 1)[-1] in _FOLDERS
        or "/upload" in path
    ):
        context.escalate(f"links {shown(target)} to {shown(path)}")


def mark(context: Context, argv: Sequence[str]) -> None:
    """`chmod`, `chown`, `chgrp`."""
    if (
        argv[0] == "chmod"
        and len(argv) > 1
        and argv[1].startswith("-")
        and argv[1][1:]
        and set(argv[1][1:]) <= set("rwxXst")
    ):
        argv = [argv[0], "a" + argv[1], *argv[2:]]
    parsed = parse(context, argv, _MODE)
    letters = {name for name, _value in parsed["options"]}
    operands = parsed["operands"]
    is_referred = "reference" in letters
    value, targets = ("", operands) if is_referred else (operands[0] if operands else "", operands[1:])
    is_deep = bool(letters & {"R", "recursive"})
    for target in targets:
        zone, path = zone_of(context, target)
        parts = [part for part in path.split("/") if part]
        if zone == "else" or WILD in path or (is_deep and len(parts) < 2):
            context.block(f"{argv[0]} on {shown(path)}")
        elif is_deep and len(parts) < 3 and argv[0] == "chmod":
            context.escalate(f"{argv[0]} on everything in {shown(path)}")
        elif is_referred or is_secret(path) or zone not in ("app", "served", "backup", "tmp", "keep"):
            context.escalate(f"{argv[0]} on {shown(path)}")
    if any("/upload" in target or "/tmp/" in target for target in targets) and set(value[-3:]) & set("1357x"):
        context.escalate("makes something that was brought in executable")
    if argv[0] == "chmod":
        _mode(context, value, is_deep=is_deep)
    elif re.match(r"(root|0)(:|$|\.)", value) or WILD in value:
        context.escalate("gives files to root")


def _mode(context: Context, value: str, *, is_deep: bool) -> None:
    if re.fullmatch(r"0?[4-7]?[0-7]{3,4}", value):
        digits = value[-3:]
        special = value[:-3].lstrip("0")
        if special and special not in ("1", "2"):
            context.block(f"sets the user id bit: {value}")
        elif special == "2":
            context.escalate(f"sets the group id bit: {value}")
        elif digits[2] in "2367":
            context.block(f"everybody may write: {value}")
        elif is_deep or any(d in "1357" for d in digits) or digits[1] in "2367":
            context.escalate(f"makes it executable: {value}") if digits not in (
                "755",
                "750",
                "664",
                "660",
                "775",
                "770",
            ) or is_deep else None
    elif re.search(r"[ugoa]*[+=][rwxX]*s", value):
        context.block(f"sets the user id bit: {shown(value)}")
    elif re.search(r"(^|,)[uga]*[oa]?[ug]*[+=]\w*w", value) and re.search(r"(^|,)(\w*[oa]\w*)?[+=]\w*w", value):
        context.block(f"everybody may write: {shown(value)}")
    elif not re.fullmatch(r"([ug]*[o]?[+=-][rwX]+,?)+", value):
        context.escalate(f"mode {shown(value)}")


def make_folder(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _MKDIR)
    check_operands(context, argv[0], parsed["operands"], _MKDIR.operands)
    for name, value in parsed["options"]:
        if name in ("m", "mode") and not re.fullmatch(r"0?7[05][05]", value):
            context.escalate(f"mode {shown(value)}")


def tee(context: Context, argv: Sequence[str]) -> None:
    for word in parse(context, argv, _TEE)["operands"]:
        check_output(context, word)


def shrink(context: Context, argv: Sequence[str]) -> None:
    """`gzip` and its kin: on plain files of the application."""
    if any(word.startswith("-") and set(word[1:]) & set("dlct") for word in argv[1:]):
        parsed = parse(context, argv, _GZIP_LOOK)
        check_operands(context, argv[0], parsed["operands"], ("r*",))
        if not any(set(name) & set("lct") for name, _value in parsed["options"]):
            for word in parsed["operands"]:
                check_change(context, word, what="unpacks")
        return
    parsed = parse(context, argv, _GZIP)
    if any(name == "r" for name, _value in parsed["options"]):
        context.escalate("packs everything below a folder")
    for word in parsed["operands"]:
        check_change(context, word, what="packs")
