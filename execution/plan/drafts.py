"""What is to be done on each host, and what the command check says of it.

A step is made, and judged, once for all hosts that give it the same values: a plan of thousands has few kinds of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from cmdb.models import Server
from execution.exceptions import PlanRefused
from execution.plan.balancers import trusted_by
from execution.plan.expects import expected_of, expects_of
from execution.plan.judge import judge_step, judge_steps
from execution.playbooks.calls import StepCall, misfits
from execution.playbooks.params import ParamInvalid
from execution.playbooks.schema import Definition
from execution.playbooks.template import UnknownVariable, fill, looked_up, variables_in
from execution.reason_words import reason_label
from execution.steps.library import LIBRARY
from execution.steps.ops import Step
from execution.steps.scanning import scan
from execution.words import step_label


class Drafts:
    """Of one plan. What it gives is shared between hosts and must not be changed."""

    def __init__(self, definition: Definition) -> None:
        self._calls = [(call, sorted(variables_in(call.arguments))) for call in definition.steps]
        self.variables = {name for _call, names in self._calls for name in names}
        """Every name that a step asks for."""
        self._of_the_host = [param for param in definition.params if variables_in(param.default)]
        self._steps: dict[tuple[int, str], Step] = {}
        self._looks: dict[tuple[tuple[int, ...], str], Step | None] = {}
        self._found: dict[tuple[int, Any], list[dict[str, str]]] = {}

    def of(self, server: Server, names: Mapping[str, Any]) -> tuple[list[Step], dict[str, Any]]:
        """The host's steps, a look at the host first where its profile says what it is like, and its `check`. Raises
        PlanRefused for a name that isn't known, for what a step can't take, and for a command that is refused."""
        steps = self._filled(names)
        look = self._look(steps, server, names)
        steps = steps if look is None else [look, *steps]
        programs, files = trusted_by(names["balancers"])
        programs = [names["path"][name] for name in ("startup_script", "shutdown_script")] + programs
        check = judge_steps(steps, home=names["home"], programs=programs, files=files, judged=self._judged)
        if check["verdict"] == "block":
            raise PlanRefused(_refusal(server.hostname, check["found"]), code="command_blocked")
        return steps, check

    def _filled(self, names: Mapping[str, Any]) -> list[Step]:
        """The playbook's steps with this host's values in them, but for those that have nothing to do here."""
        try:
            names = {**names, "params": self._params(names)}
            steps = [self._step(place, names) for place in range(len(self._calls))]
        except ParamInvalid as error:
            raise PlanRefused(str(error), code="param_invalid") from error
        except UnknownVariable as error:
            raise PlanRefused(_("The playbook asks for “%(name)s”, which isn't known.") % {"name": error}) from error
        return [step for step in steps if step["apply"]]

    def _params(self, names: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters, where a default that names the host's own paths gets its value; what people gave is never
        read as a template."""
        params = dict(names["params"])
        for param in self._of_the_host:
            if params.get(param.name) == param.default:
                params[param.name] = param.checked(fill(param.default, names))
        return params

    def _step(self, place: int, names: Mapping[str, Any]) -> Step:
        call, variables = self._calls[place]
        key = place, repr([looked_up(variable, names) for variable in variables])
        if key not in self._steps:
            self._steps[key] = _made(call, fill(call.arguments, names))
        return self._steps[key]

    def _look(self, steps: Sequence[Step], server: Server, names: Mapping[str, Any]) -> Step | None:
        home, paths = names["home"], names["path"]
        key = tuple(map(id, steps)), repr((home, paths, server.profile.on_drift, expected_of(server)))
        if key not in self._looks:
            expects = expects_of(steps, server, paths)
            self._looks[key] = scan(home=home, pid_file=paths["pid_file"], expects=expects) if expects else None
        return self._looks[key]

    def _judged(self, step: Step, surroundings: Any) -> list[dict[str, str]]:
        key = id(step), surroundings  # every step is kept here: its id stays its own
        if key not in self._found:
            self._found[key] = judge_step(step, surroundings)
        return self._found[key]


def _made(call: StepCall, arguments: dict[str, Any]) -> Step:
    if wrong := misfits(call.name, arguments):
        raise PlanRefused(
            _("Step “%(step)s” can't take this “%(name)s”.") % {"step": call.name, "name": wrong[0]},
            code="bad_argument",
        )
    try:
        return LIBRARY[call.name](**arguments)
    except ValueError as error:
        raise PlanRefused(
            _("Step “%(step)s” can't be made: %(error)s") % {"step": call.name, "error": error}, code="bad_argument"
        ) from error


def _refusal(hostname: str, found: Sequence[Mapping[str, str]]) -> str:
    worst = next(finding for finding in found if finding["verdict"] == "block")
    return _("The command check refuses a command of step “%(step)s” on %(host)s: %(reason)s") % {
        "step": step_label(worst["step"]),
        "host": hostname,
        "reason": reason_label(worst["reason"]),
    }
