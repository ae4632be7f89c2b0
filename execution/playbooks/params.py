"""Parameters of a playbook: what the request must name, of which kind, within which limits. Also the intake form."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from execution.playbooks.template import variables_in
from execution.steps.arguments import BadArgument, absolute, schedule
from guardia.common.errors import InvalidInput

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_TEXT, _MOST_LINES, _LONGEST_SQL = 2000, 50, 32 * 1024
#: Kind → the Python type that a step gets.
KINDS: Mapping[str, type] = {
    "text": str,
    "lines": list,
    "sql": str,
    "int": int,
    "bool": bool,
    "choice": str,
    "path": str,
    "port": int,
    "cron": str,
    "duration": int,
    "network": str,
}


class ParamInvalid(InvalidInput):
    code = "param_invalid"


@dataclass(frozen=True, slots=True)
class Param:
    """`source`: the parser's name for it, where the request's words may fill it in. `under`: folders that a path must
    lie in. `limits` are those of a number, or of a text's length; durations are seconds, or written 30s, 5m, 2h, 1d."""

    name: str
    kind: str
    label: Mapping[str, str]
    help: Mapping[str, str]
    required: bool
    default: Any = None
    pattern: str = ""
    limits: tuple[int | None, int | None] = (None, None)
    choices: Mapping[str, Mapping[str, str]] | None = None
    under: tuple[str, ...] = ()
    source: str = ""

    def shown_label(self) -> str:
        return in_language(self.label) or self.name

    def shown_help(self) -> str:
        return in_language(self.help)

    def checked(self, value: Any) -> Any:
        """The value in the type that steps get. Raises ParamInvalid with words for whoever gave it."""
        try:
            found = _READERS[self.kind](self, value)
        except (BadArgument, ValueError, TypeError, LookupError, StopIteration) as error:
            raise ParamInvalid(_("“%(value)s” doesn't fit.") % {"value": str(value)[:80]}) from error
        self._check_limits(found)
        return found

    def _check_limits(self, value: Any) -> None:
        least, most = self.limits
        size = value if isinstance(value, int) else len(value)
        if (least is not None and size < least) or (most is not None and size > most):
            bounds = f"{'' if least is None else least}–{'' if most is None else most}"
            raise ParamInvalid(_("“%(value)s” is out of bounds (%(bounds)s).") % {"value": value, "bounds": bounds})
        if self.pattern and not all(re.fullmatch(self.pattern, text) for text in _texts(value)):
            raise ParamInvalid(_("“%(value)s” doesn't have the form that is asked for.") % {"value": str(value)[:80]})


def in_language(texts: Mapping[str, str]) -> str:
    """The text in the user's language, else in English."""
    return texts.get((get_language() or "ko")[:2], "") or texts.get("en", "")


def filled_params(params: tuple[Param, ...], given: Mapping[str, Any], *, spared: bool = False) -> dict[str, Any]:
    """The checked value of every parameter, from `given` by name, by the parser's name, or the default.

    Raises ParamInvalid that names every one that is missing or wrong. `spared`: those are left out instead.
    """
    values, problems = dict[str, Any](), []
    for param in params:
        value = given.get(param.name, given.get(param.source) if param.source else None)
        if value is None or value == "":
            value = param.default
        if value is None and param.required:
            problems.append(_("“%(name)s” is missing.") % {"name": param.shown_label()})
            continue
        try:
            values[param.name] = _value(param, value)
        except ParamInvalid as error:
            problems.append(f"{param.shown_label()}: {error}")
    if problems and not spared:
        raise ParamInvalid(" ".join(problems))
    return values


def _value(param: Param, value: Any) -> Any:
    """A default that names a variable is filled in for each host, when the plan is made (`execution.plan.build`)."""
    if value is None:
        return KINDS[param.kind]()
    return value if value == param.default and variables_in(value) else param.checked(value)


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _text(param: Param, value: Any) -> str:
    text = str(value).strip()
    if len(text) > _LONGEST_TEXT or not text.replace("\t", " ").isprintable():
        raise ValueError
    return text


def _lines(param: Param, value: Any) -> list[str]:
    items = value if isinstance(value, list) else str(value).splitlines()
    found = [_text(param, item) for item in items if str(item).strip()]
    if len(found) > _MOST_LINES:
        raise ValueError
    return found


def _sql(param: Param, value: Any) -> str:
    """Text of several lines, as it is: what it may say, the step judges."""
    text = str(value).strip()
    if len(text) > _LONGEST_SQL:
        raise ValueError
    return text


def _int(param: Param, value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError
    return int(str(value).strip())


def _bool(param: Param, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}[
        str(value).lower()
    ]


def _choice(param: Param, value: Any) -> str:
    known = param.choices or {}
    return next(key for key in known if key == str(value) or key.lower() == str(value).lower())


def _path(param: Param, value: Any) -> str:
    path = absolute(str(value).strip())
    if param.under and not any(path == top or path.startswith(f"{top}/") for top in param.under):
        raise ValueError
    return path


def _port(param: Param, value: Any) -> int:
    number = _int(param, value)
    if not 1 <= number <= 65_535:
        raise ValueError
    return number


def _cron(param: Param, value: Any) -> str:
    return schedule(str(value).strip())


def _duration(param: Param, value: Any) -> int:
    return seconds_of(value)


def seconds_of(value: Any) -> int:
    """A duration as people write it: seconds, or 30s, 5m, 2h, 1d. Raises ValueError."""
    match = _DURATION.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError
    return int(match[1]) * _SECONDS[match[2] or "s"]


def _network(param: Param, value: Any) -> str:
    return str(ipaddress.ip_network(str(value).strip(), strict=False))


_READERS = {
    "text": _text,
    "lines": _lines,
    "sql": _sql,
    "int": _int,
    "bool": _bool,
    "choice": _choice,
    "path": _path,
    "port": _port,
    "cron": _cron,
    "duration": _duration,
    "network": _network,
}
