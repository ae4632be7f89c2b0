"""A script of the institution's own as a step, with the undo its author declares."""

import base64
from collections.abc import Sequence

from execution.steps.arguments import BadArgument, between, command, one_of
from execution.steps.balancing import UNKNOWABLE
from execution.steps.ops import Exec, Step, change, check, run
from execution.steps.scripts import scripted

_LONGEST = (
    16_384  # characters; an argument of a command may have 128 KiB on Linux, and the base64 of UTF-16 is 2.7 times
)
_PYTHONS = "python3,python,python2"
#: A batch file needs a file: it is written, run and removed. Constant but for the base64 of the text.
BATCH_BEFORE = "$t=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('"
BATCH_AFTER = (
    "'));$f=[IO.Path]::GetTempFileName()+'.cmd';[IO.File]::WriteAllText($f,$t,[Text.Encoding]::Default);"
    "try{& cmd.exe /d /c $f;$c=$LASTEXITCODE}finally{Remove-Item -Force $f};exit $c"
)


def script(
    *,
    language: str,
    text: str,
    arguments: Sequence[str] = (),
    undo: str = "",
    done: str = "",
    changes: bool = True,
    seconds: int = 300,
) -> Step:
    """A script in shell, python, powershell or batch; `undo` and `done` (does it hold?) are scripts in it too.

    Without `done` nobody can tell how far a script came whose worker was lost: the host goes to people then.
    """
    one_of(language, "shell", "python", "powershell", "batch")
    between(seconds, 1, 86_400)
    apply = _run(language, text, command(arguments), seconds)
    if not changes:
        if undo or done:
            raise BadArgument("a script that changes nothing has nothing to undo")
        return check("script", apply)
    return change(
        "script",
        apply,
        probe=[_run(language, done, command(arguments), seconds)] if done else UNKNOWABLE,
        undo=[_run(language, undo, command(arguments), seconds)] if undo else [],
        is_repeatable=bool(done),
    )


def _run(language: str, text: str, arguments: list[str], seconds: int) -> Exec:
    if not text.strip() or len(text) > _LONGEST or "\0" in text:
        raise BadArgument(f"a script has between 1 and {_LONGEST} characters")
    if language == "shell":
        return run("sh", "-c", text, "guardia", *arguments, seconds=seconds)
    if language == "python":
        return scripted("tool", text, _PYTHONS, *arguments, seconds=seconds)
    if arguments:
        raise BadArgument("scripts for Windows take no arguments: write the values into the text")
    if language == "batch":
        inner = base64.b64encode(text.replace("\n", "\r\n").encode()).decode()
        text = BATCH_BEFORE + inner + BATCH_AFTER
    encoded = base64.b64encode(text.encode("utf-16-le")).decode()
    return run("powershell", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded, seconds=seconds)


def readable(argv: Sequence[object]) -> str:
    """The text inside an encoded command, decoded from the very bytes that will run; empty where there is none."""
    if len(argv) != 5 or argv[0] != "powershell" or argv[3] != "-EncodedCommand":
        return ""
    text = base64.b64decode(str(argv[4])).decode("utf-16-le", errors="replace")
    if text.startswith(BATCH_BEFORE) and text.endswith(BATCH_AFTER):
        inner = text[len(BATCH_BEFORE) : -len(BATCH_AFTER)]
        return base64.b64decode(inner).decode(errors="replace").replace("\r\n", "\n")
    return text
