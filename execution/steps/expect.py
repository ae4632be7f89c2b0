"""Judges what a command gave against what was expected."""

from collections.abc import Mapping

from execution.steps.ops import Expect, Part

_LARGEST_SAVED = 20  # digits


def unmet(expect: Expect, *, exit_status: int, stdout: str, saved: Mapping[str, str]) -> str:
    """Why the expectation isn't met, in a few words with nothing of the host's output in it; empty when it is met."""
    if exit_status != 0 and not expect.get("any_exit"):
        return f"exit status {exit_status}"
    text = stdout.strip()
    if "equals" in expect and text != resolved(expect["equals"], saved):
        return "the output is not the expected value"
    if "differs" in expect and text == resolved(expect["differs"], saved):
        return "the output has not changed"
    if "contains" in expect and expect["contains"] not in stdout:
        return f"the output lacks “{expect['contains']}”"
    if "lacks" in expect and expect["lacks"] in stdout:
        return f"the output contains “{expect['lacks']}”"
    if (expect.get("number") or "at_least" in expect or "at_most" in expect) and not is_number(text):
        return "the output is not a number"
    if "at_least" in expect and int(text) < expect["at_least"]:
        return f"{int(text)} is less than {expect['at_least']}"
    if "at_most" in expect and int(text) > expect["at_most"]:
        return f"{int(text)} is more than {expect['at_most']}"
    return ""


def resolved(part: Part, saved: Mapping[str, str]) -> str:
    """The text of a part; raises KeyError for a value that no earlier operation has saved."""
    return part if isinstance(part, str) else saved[part["saved"]]


def is_number(text: str) -> bool:
    """ASCII digits, few enough to be a size or a PID: all that a host may hand on to a later command."""
    return text.isascii() and text.isdigit() and len(text) <= _LARGEST_SAVED
