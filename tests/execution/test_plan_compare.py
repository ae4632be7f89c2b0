"""What changed between two plans, field by field: everything that differs and nothing else."""

import json
from copy import deepcopy
from typing import Any

import pytest

from execution.plan.compare import changed_parts, differences
from execution.rollout.start_run import start_run
from tests.doors import browser
from tests.execution.test_plan import CHANGES
from tests.factories import Tenant
from tickets.models import OpsTask

pytestmark = pytest.mark.usefixtures("in_english")

STEP: dict[str, Any] = {
    "name": "stop",
    "apply": [{"op": "exec", "argv": ["/app/stop.sh", "-f"], "expect": {}, "seconds": 30}],
    "undo": [{"op": "exec", "argv": ["/app/start.sh"], "expect": {}, "seconds": 30}],
    "probe": None,
}
HOST: dict[str, Any] = {
    "address": "127.0.0.1",
    "port": 22,
    "http_port": 8080,
    "username": "was",
    "credential": "1",
    "credential_revision": 1,
    "host_keys": ["ssh-ed25519 OLD"],
    "profile": "tomcat",
    "profile_revision": 3,
    "tier": 2,
    "group": "",
    "steps": [STEP],
}
PLAN: dict[str, Any] = {
    "format": 1,
    "task": "OPS-20260101-001",
    "sub_type": "WAS_ROLLING",
    "playbook": {"name": "was_rolling", "version": 1, "digest": "a" * 64},
    "params": {"version": "2.1.0"},
    "artefacts": [{"name": "a.war", "sha256": "b" * 64, "size": 7}],
    "waves": [["h1"], ["h2"]],
    "hosts": {"h1": HOST, "h2": HOST},
}
TABLE: list[tuple[str, list[Any], Any, list[tuple[str, str, list[str], list[str]]]]] = [
    ("playbook", ["playbook", "version"], 2, [("playbook", "version", ["1"], ["2"])]),
    ("parameter", ["params", "version"], "9", [("parameters", "version", ["2.1.0"], ["9"])]),
    ("new parameter", ["params", "force"], True, [("parameters", "force", [], ["True"])]),
    ("artefact", ["artefacts", 0, "sha256"], "c" * 64, [("artefact", "SHA-256", ["b" * 64], ["c" * 64])]),
    ("waves", ["waves"], [["h1", "h2"]], [("waves", "order", ["1. h1", "2. h2"], ["1. h1, h2"])]),
    ("address", ["hosts", "h1", "address"], "127.0.0.9", [("h1", "address", ["127.0.0.1"], ["127.0.0.9"])]),
    ("profile", ["hosts", "h1", "profile_revision"], 4, [("h1", "profile revision", ["3"], ["4"])]),
    ("credential", ["hosts", "h2", "credential_revision"], 2, [("h2", "credential revision", ["1"], ["2"])]),
    (
        "host key",
        ["hosts", "h2", "host_keys"],
        ["ssh-ed25519 NEW"],
        [("h2", "pinned host keys", ["ssh-ed25519 OLD"], ["ssh-ed25519 NEW"])],
    ),
    ("tier", ["hosts", "h1", "tier"], 1, [("h1", "tier", ["2"], ["1"])]),
    (
        "command",
        ["hosts", "h1", "steps", 0, "apply", 0, "argv", 1],
        "-x",
        [("h1", "1. Stop", ["/app/stop.sh -f"], ["/app/stop.sh -x"])],
    ),
    (
        "undo",
        ["hosts", "h1", "steps", 0, "undo", 0, "argv", 0],
        "/b",
        [("h1", "1. Stop", ["↶ /app/start.sh"], ["↶ /b"])],
    ),
    (
        "expectation",
        ["hosts", "h1", "steps", 0, "apply", 0, "expect"],
        {"any_exit": True},
        [
            (
                "h1",
                "1. Stop",
                ['{"expect":{},"op":"exec","seconds":30}'],
                ['{"expect":{"any_exit":true},"op":"exec","seconds":30}'],
            )
        ],
    ),
    ("another field", ["sub_type"], "STATIC_SYNC", [("plan", "sub-type", ["WAS_ROLLING"], ["STATIC_SYNC"])]),
    ("an unknown field", ["hosts", "h1", "colour"], "red", [("h1", "colour", [], ["red"])]),
]


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    plan = json.loads(json.dumps(PLAN))
    place: Any = plan
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return plan


@pytest.mark.parametrize(("name", "path", "value", "told"), TABLE, ids=[row[0] for row in TABLE])
def test_exactly_the_field_that_differs_is_told(name: str, path: list[Any], value: Any, told: Any) -> None:
    found = differences(PLAN, changed(path, value))
    assert [(c.title, d.label, d.before, d.after) for c in found for d in c.differences] == told
    back = differences(changed(path, value), PLAN)
    assert [(c.title, d.label, d.after, d.before) for c in back for d in c.differences] == told


def test_targets_that_come_and_go() -> None:
    fewer = {**PLAN, "hosts": {"h1": HOST}}
    assert [(c.hostname, c.kind) for c in differences(PLAN, fewer)] == [("h2", "REMOVED")]
    assert [(c.hostname, c.kind) for c in differences(fewer, PLAN)] == [("h2", "ADDED")]


def test_steps_and_files_that_come_and_go_or_change_places() -> None:
    start = {**STEP, "name": "start"}
    two, turned = changed(["hosts", "h1", "steps"], [STEP, start]), changed(["hosts", "h1", "steps"], [start, STEP])
    (change,) = differences(PLAN, two)
    assert [(d.label, d.is_fine) for d in change.differences] == [("2. Start", False), ("2. Start", True)]
    assert all(d.before == [] for d in change.differences)
    (change,) = differences(two, turned)
    assert [(d.before, d.after) for d in change.differences] == [(["stop"], ["start"]), (["start"], ["stop"])]
    (change,) = differences(PLAN, {**PLAN, "artefacts": []})
    assert {d.label for d in change.differences} == {"name", "SHA-256", "size in bytes"}


def test_equal_plans_differ_in_nothing() -> None:
    assert differences(PLAN, deepcopy(PLAN)) == [] == changed_parts(PLAN, deepcopy(PLAN))


@pytest.mark.django_db
@pytest.mark.parametrize(("change", "parts"), CHANGES, ids=[change.__name__ for change, _parts in CHANGES])
def test_the_new_round_shows_what_changed_and_its_form_leads_there(change: Any, parts: list[str]) -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    path = f"/tasks/{task.task_id}/"
    assert 'id="changes"' not in browser(tenant.owner).get(path).content.decode()
    task, plan = tenant.approved()
    path = f"/tasks/{task.task_id}/"
    change(tenant, task)
    start_run(task.pk)
    new = OpsTask.objects.get(pk=task.pk).plans.all()[0]
    assert new.digest != plan.digest
    found = differences(plan.content, new.content)
    assert all(part.differences or part.kind != "CHANGED" for part in found), "each part says what"
    page = browser(tenant.owner).get(path).content.decode()
    assert 'id="changes"' in page and page.count('href="#changes"') == 2
    assert plan.digest in page and page.count('class="diff"') == len(found)


def test_a_step_that_is_put_in_is_one_difference() -> None:
    """Those behind it have another place, and are the same."""
    steps = [{"name": name, "apply": [], "undo": []} for name in ("stop", "swap", "start")]
    more = [steps[0], {"name": "back_up", "apply": [], "undo": []}, *steps[1:]]
    before, after = ({"hosts": {"a": {"steps": found}}} for found in (steps, more))
    for old, new, sides in ((before, after, ([], ["back_up"])), (after, before, (["back_up"], []))):
        (change,) = differences(old, new)
        told = [one for one in change.differences if not one.is_fine]
        assert [(one.before, one.after) for one in told] == [sides] and told[0].label.startswith("2. ")
