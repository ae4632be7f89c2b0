"""The commands of the step library as templates: their text is ours, their words are judged by what they stand for.

p: a path of the host's application, n: a number. A program is looked up by its exact words, a script by its exact text,
so that a parameter can't pass for a template.
"""

from collections.abc import Mapping, Sequence

from execution.steps import files, service

SCRIPTS: Mapping[str, str] = {
    files._FREE_MIB: "p",
    files._SHA256: "p",
    files._MOVE_ASIDE: "pp",
    files._MOVE_BACK: "pp",
    files._DROP_IF_BACKED_UP: "pp",
    service._PID: "p",
    service._GONE: "n",
    service._LIVE_PID: "p",
    service._SIZE: "p",
    service._LOG_SINCE: "pn",
}
PROGRAMS: Mapping[tuple[str, ...], str] = {("rm", "-f", "--"): "p", ("mv", "-fT", "--"): "pp", ("test", "-e"): "p"}


def template_of(argv: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    """(kinds, words) of a command that is one of ours; None otherwise."""
    if len(argv) > 3 and list(argv[:2]) == ["sh", "-c"] and argv[3] == "guardia" and argv[2] in SCRIPTS:
        return SCRIPTS[argv[2]], argv[4:]
    for length in (3, 2):
        kinds = PROGRAMS.get(tuple(argv[:length]))
        if kinds is not None and len(argv) == length + len(kinds):
            return kinds, argv[length:]
    return None
