"""`docs/playbooks.md` names every step with its arguments, and its example is a playbook."""

import inspect
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
EXAMPLES = {
    "database": {
        "dialect": "sqlite",
        "database": "/x",
        "client": "",
        "host": "",
        "port": 0,
        "user": "",
        "log_in": False,
    },
    "statement": "SELECT 1",
    "checks": [{"name": "x", "query": "SELECT 1", "equals": 1}],
    "expected": 1,
    "tolerance": 0,
    "rows": 10,
    "changes": "",
    "key": "id",
    "columns": ["id"],
    "duplicates": "skip",
    "port": 8080,
    "free_mib": 1,
    "size": 1,
    "seconds": 1,
    "start_seconds": 1,
    "stop_seconds": 1,
}


def documented_steps() -> dict[str, tuple[list[str], str, str]]:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| (yes|no) \| ([^|]+) \|$", STEPS, re.MULTILINE)
    return {
        name: (re.findall(r"`(\w+)`(\??)", arguments), changes, undo.strip()) for name, arguments, changes, undo in rows
    }


def built(name: str) -> Step:
    arguments = {key: EXAMPLES.get(key, "x") for key in inspect.signature(LIBRARY[name]).parameters}
    return LIBRARY[name](**arguments)


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
        step = built(name)
        assert (changes == "yes", undo != "–") == (step["changes"], bool(step["undo"])), name


def test_the_example_is_a_playbook() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert parse_playbook(example).sub_type == "SERVICE_RESTART"


def test_every_variable_of_the_shipped_playbooks_and_every_path_is_documented() -> None:
    for path in SHIPPED.glob("*.yaml"):
        for call in parse_playbook(path.read_text(encoding="utf-8")).steps:
            for variable in variables_in(call.arguments):
                group, _, name = variable.partition(".")
                assert f"`${{{variable}}}`" in DOCUMENT or (f"`${{{group}.…}}`" in DOCUMENT and f"`{name}`" in DOCUMENT)
    assert all(f"`{name}`" in DOCUMENT for name in _PROFILE_PATHS)
