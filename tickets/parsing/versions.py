"""The version that is wanted among those named: corrected, replaced and background versions are set apart."""

import re
from dataclasses import dataclass

_VERSION = re.compile(
    r"(?<![\w.\-/])(v?\d{1,4}\.\d{1,4}(?:\.\d{1,4}){1,2}(?:-[a-z0-9]+)?|v\d{1,4}\.\d{1,4}|(?:hotfix|release|build|rc)-\d[\w.]*)"
    r"(?![a-z0-9_:]|\.\d)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_DATE = re.compile(r"20\d{2}\.(?:0?[1-9]|1[0-2])\.(?:0?[1-9]|[12]\d|3[01])")
_REPLACED_AFTER = re.compile(
    r"^(?:버전|버젼|version)?(?:은|는|이|가|을|를)?[\s,.]*(?:말고|말구|아니고|아니라|아니구|아니요|아닌|대신|빼고|제외|에서|보다|→|->|=>|>|"
    r"(?:배포|적용|업데이트|반영|패치)?(?:한|하고|된|했|후|이후)(?:뒤|후|이후|나서|로)?|올린|올라간|나간|[아어앗음]?[\s,.…]*아(?:뇨|니(?:다|야|요)?)|취소)"
)
_REPLACED_BEFORE = re.compile(r"(?:기존|현재|현행|지금|이전|구|현)(?:운영)?(?:버전|버젼)?(?:인|은|이|:)?$")
_WANTED_AFTER = re.compile(r"^(?:버전|버젼|version)?(?:으로|로)(?!부터)")


@dataclass(frozen=True, slots=True)
class Versions:
    """`wanted` is None without a version or where several remain (`unclear`)."""

    wanted: str | None
    unclear: bool


def find_versions(text: str) -> Versions:
    """Tell the version to install from the ones it replaces; "2.1.0 이나 2.2.0" stays unclear."""
    found = [match for match in _VERSION.finditer(text) if not _is_other(match.group(1))]
    kept = [match for match in found if not _replaced(text, match)]
    marked = [match for match in kept if _WANTED_AFTER.match(_tail(text, match))]
    for group in (marked, kept):
        names = list(dict.fromkeys(match.group(1).lower().removeprefix("v") for match in group))
        if len(names) == 1:
            return Versions(group[0].group(1), unclear=False)
    return Versions(None, unclear=bool(found))


def replaced_away(text: str, match: re.Match[str]) -> bool:
    """Whether a file or request number was corrected away ("a.war 말고 b.war")."""
    return bool(
        re.match(r"^(?:은|는|이|가|을|를)?(?:말고|말구|아니고|아니라|대신|빼고|제외|→|->|=>)", _tail(text, match))
    )


def _is_other(word: str) -> bool:
    return bool(_ADDRESS.fullmatch(word) or _DATE.fullmatch(word))


def _tail(text: str, match: re.Match[str]) -> str:
    return "".join(text[match.end() : match.end() + 24].split())


def _replaced(text: str, match: re.Match[str]) -> bool:
    before = "".join(text[max(0, match.start() - 16) : match.start()].split())
    return bool(_REPLACED_AFTER.match(_tail(text, match)) or _REPLACED_BEFORE.search(before))
