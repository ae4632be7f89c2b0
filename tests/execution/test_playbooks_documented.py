"""`docs/playbooks.md` names every step with its arguments, and its example is a playbook."""

import inspect
import json
import re
from pathlib import Path

from execution.plan.build import _PROFILE_PATHS
from execution.playbooks.publish import SHIPPED
from execution.playbooks.schema import parse_playbook
from execution.playbooks.template import variables_in
from execution.steps.library import LIBRARY
from execution.steps.ops import Step

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")
STEPS = DOCUMENT.split("## Steps")[1].split("## Publishing")[0]


def documented_steps() -> dict[str, tuple[list[str], str, str]]:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| (yes|no) \| ([^|]+) \|$", STEPS, re.MULTILINE)
    return {
        name: (re.findall(r"`(\w+)`(\??)", arguments), changes, undo.strip()) for name, arguments, changes, undo in rows
    }


def built(name: str) -> list[Step]:
    """The step as each of its data files makes it."""
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in (Path(__file__).parent / "steps").glob("*.json")]
    return [LIBRARY[name](**case["arguments"]) for case in cases if case["step"] == name]


def test_every_step_is_documented_with_its_arguments() -> None:
    expected = {
        name: [
            (key, "" if parameter.default is parameter.empty else "?")
            for key, parameter in inspect.signature(make).parameters.items()
        ]
        for name, make in LIBRARY.items()
    }
    assert {name: arguments for name, (arguments, _, _) in documented_steps().items()} == expected


def test_what_a_step_changes_and_whether_it_can_be_undone_is_told_truly() -> None:
    for name, (_arguments, changes, undo) in documented_steps().items():
        steps = built(name)
        told = (any(step["changes"] for step in steps), any(step["undo"] for step in steps))
        assert (changes == "yes", undo != "–") == told, name


def test_the_example_is_a_playbook() -> None:
    example, snippet = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert parse_playbook(example).sub_type == "LOG_CLEAN"
    before, _steps, _rest = example.partition("steps:\n")
    assert [call.name for call in parse_playbook(f"{before}steps:\n{snippet}").steps] == ["drain_haproxy"]


def test_every_variable_of_the_shipped_playbooks_and_every_path_is_documented() -> None:
    for path in SHIPPED.glob("*.yaml"):
        for call in parse_playbook(path.read_text(encoding="utf-8")).steps:
            for variable in variables_in(call.arguments):
                group, _, name = variable.partition(".")
                if group == "params":
                    continue
                assert f"`${{{variable}}}`" in DOCUMENT or (f"`${{{group}.…}}`" in DOCUMENT and f"`{name}`" in DOCUMENT)
    assert all(f"`{name}`" in DOCUMENT for name in _PROFILE_PATHS)
