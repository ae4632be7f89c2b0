"""Programs that pack, unpack and mirror."""

import re
from collections.abc import Sequence

from execution.command_check.context import Context
from execution.command_check.options import parse, spec_of
from execution.command_check.paths import absolute, check_change, check_read, in_app, in_backup, is_secret, zone_of
from execution.command_check.words import has_glob, shown

_TAR = spec_of(
    "cxtdvzjJpkhmSWOrua",
    "fCXT:x b:n",
    "create extract list diff compare gzip bzip2 xz verbose file=x directory=x exclude=x strip-components=n no-same-owner keep-old-files numeric-owner totals wildcards ignore-failed-read anchored same-order preserve-permissions get newer-mtime=x to-stdout",
    "x*",
)
_UNZIP = spec_of("lLtvZpqqnojC1hm", "dx:x", "", "x*")
_ZIP = spec_of("rqvyjo9016", "xi:x", "recurse-paths quiet exclude=x", "x*")
_RSYNC = spec_of(
    "aAbchHiklLmnoprRStuvWXzEgDOPqx",
    "",
    "archive verbose dry-run progress stats human-readable partial checksum update exclude=x include=x bwlimit=n recursive times itemize-changes ignore-existing existing size-only delete",
    "x*",
)


def _source(context: Context, word: str) -> None:
    """Something of the application that is packed or copied whole."""
    path = absolute(context, word)
    if (
        is_secret(path)
        or path in ("/", "/root", "/home", "/etc")
        or path.startswith(("/etc", "/root", "/proc", "/dev", "\x0f"))
    ):
        context.block(f"packs {shown(path)}")
    elif not in_app(context, path) and not in_backup(context, path) and not path.startswith(("/var/log/", "/tmp/")):
        context.escalate(f"packs {shown(path)}")


def tar(context: Context, argv: Sequence[str]) -> None:
    words = list(argv)
    if len(words) > 1 and re.fullmatch(r"[cxtdvzjJpfhkmruaO]+", words[1]):
        words[1:2] = _old_style(words[1])
    parsed = parse(context, words, _TAR)
    options = dict(parsed["options"])
    archive, folder = options.get("f", options.get("file", "")), options.get("C", options.get("directory", ""))
    if ":" in archive:
        context.block("copies to or from another host")
    if options.keys() & {"T", "X"}:
        context.escalate("names come from a file")
    if options.keys() & {"c", "create"}:
        _target(context, archive)
        here = context.inner()
        if folder:
            here.cwd = absolute(context, folder)
        for word in parsed["operands"]:
            _source(here, word)
    elif options.keys() & {"x", "extract", "get"}:
        if options.keys() & {"O", "to-stdout"}:
            _shown(context, parsed["operands"])
        else:
            _unpacked(context, folder or ".", archive)
    elif not options.keys() & {"t", "list", "d", "diff", "compare"}:
        context.escalate("tar that does something else")


def _old_style(letters: str) -> list[str]:
    """`tar czf x` is `tar -cz -f x`."""
    return [f"-{letters.replace('f', '')}", "-f"] if "f" in letters else [f"-{letters}"]


def _target(context: Context, archive: str) -> None:
    zone, path = zone_of(context, archive)
    if archive == "-":
        context.escalate("packs into a pipe")
    elif re.search(r":", archive):
        context.block("packs to another host")
    elif zone == "served":
        context.block(f"packs into what is served: {shown(path)}")
    elif zone == "tmp":
        context.escalate("packs files to where everybody reads")
    elif zone not in ("backup", "app"):
        check_change(context, archive, what="packs into")
    elif not re.search(r"\.(tar|tgz|gz|bz2|xz|zip|tbz2?|txz)$", path):
        context.escalate(f"packs into {shown(path)}")


def _shown(context: Context, members: Sequence[str]) -> None:
    """What is shown out of an archive is what the file would show by itself."""
    if not members:
        context.escalate("shows everything of an archive")
    for word in members:
        check_read(context, f"/{word}".replace("//", "/"))


def _unpacked(context: Context, folder: str, archive: str) -> None:
    zone, path = zone_of(context, folder.rstrip("/") + "/x")
    if zone == "else":
        context.block(f"unpacks into {shown(path)}")
    elif zone not in ("app", "backup", "tmp") or not path.startswith("/") or path.count("/") < 3:
        context.escalate(f"unpacks into {shown(path)}")
    source = absolute(context, archive)
    if source.startswith(("/tmp", "/var/tmp")) or "/upload" in source or "/dev/" in source:
        context.escalate(f"unpacks something unknown: {shown(source)}")


def unzip(context: Context, argv: Sequence[str]) -> None:
    parsed = parse(context, argv, _UNZIP)
    options = dict(parsed["options"])
    if not parsed["operands"]:
        return
    if not options.keys() & {"l", "t", "v", "p", "Z"}:
        _unpacked(context, options.get("d", "."), parsed["operands"][0])
    if "p" in options:
        _shown(context, parsed["operands"][1:])


def zip_(context: Context, argv: Sequence[str]) -> None:
    operands = parse(context, argv, _ZIP)["operands"]
    if operands:
        _target(context, operands[0])
    for word in operands[1:]:
        _source(context, word)


def rsync(context: Context, argv: Sequence[str]) -> None:
    """On this host, between the application and its back-up."""
    parsed = parse(context, argv, _RSYNC)
    options, operands = dict(parsed["options"]), parsed["operands"]
    if any(re.match(r"[^/]*:", word) or "://" in word for word in operands):
        context.block("copies to or from another host")
        return
    if len(operands) < 2:
        context.escalate("a mirror without both ends")
        return
    *sources, target = operands
    is_trial = options.keys() & {"n", "dry-run"}
    if "delete" in options and not is_trial:
        deep = absolute(context, target).count("/") >= 3 and zone_of(context, target)[0] in ("app", "served", "keep")
        (context.escalate if deep else context.block)(f"removes in {shown(target)} what the other side lacks")
    for source in sources:
        _source(context, source)
    if not is_trial:
        zone, path = zone_of(context, target.rstrip("/") + "/x")
        if zone == "else" or has_glob(path):
            context.block(f"copies over {shown(path)}")
        elif zone == "tmp":
            context.escalate(f"copies {shown(sources[0])} to where everybody reads")
        elif zone not in ("backup", "app"):
            context.escalate(f"copies over {shown(path)}")
