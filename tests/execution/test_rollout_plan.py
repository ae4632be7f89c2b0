"""`manage.py rollout_plan`: the waves of a plan or of chosen servers, as a table or as JSON lines."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from execution.plan.waves import Candidate, plan_waves
from execution.playbooks.strategy import Strategy
from tests.factories import Tenant, make_server, make_system

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


def said(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("rollout_plan", *arguments, stdout=out, **options)
    return out.getvalue()


def waves(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(*arguments, "--format", "jsonl").splitlines()]


def test_the_waves_of_a_plan_are_those_that_are_approved() -> None:
    tenant = Tenant(servers=5)
    task, plan = tenant.planned()
    for chosen in (("--task", task.task_id), ("--plan", plan.digest[:12])):
        assert [wave["names"] for wave in waves(*chosen)] == plan.content["waves"]
    table = said("--task", task.task_id)
    assert "Batches: 1 → 50% → 100%." in table and len(table.splitlines()) == 3 + 1 + 3


def test_servers_are_chosen_by_a_query_or_a_file(tmp_path: Path) -> None:
    tenant = Tenant(servers=4, redundancy_group="was", role="was")
    other = [make_server(make_system(tenant.institution), tier=3, role="web") for _number in range(40)]
    code = tenant.institution.code
    found = waves(
        "--where",
        f"institution={code}",
        "--by",
        "tier",
        "--tier",
        "3",
        "--batches",
        "1%, 30, 100%",
        "--tolerate",
        "2,5%",
    )
    assert [(wave["size"], wave["tiers"], wave["tolerated"]) for wave in found] == [
        (1, [3], 0), (30, [3], 2), (9, [3], 2), (2, [2], 1), (2, [2], 1),
    ]  # fmt: skip
    assert [wave["size"] for wave in waves("--where", f"institution={code}", "role=was", "--by", "pairs")] == [2, 2]
    assert (
        len(waves("--where", "hostname=host-*", f"system={tenant.system.code}", "--by", "groups", "--groups", "4")) == 4
    )
    file = tmp_path / "names"
    file.write_text("\n".join(server.hostname for server in other[:7]))
    assert [wave["size"] for wave in waves("--file", str(file), "--playbook", "was-rolling")] == [1, 4, 2]
    strategy = Strategy(batches=("100%",))
    of_two_systems = [Candidate(f"h{number}", 2, f"{number % 2}/g") for number in range(4)]
    assert [len(wave) for wave in plan_waves(of_two_systems, strategy)] == [2, 2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--where", "colour=red", "--batches", "1"], "NAME=VALUE"),
        (["--where", "tier=high", "--batches", "1"], "a tier is a number"),
        (["--where", "tier=3", "--batches", "1"], "no server fits"),
        (["--where", "tier=2"], "“batches” is missing"),
        (["--where", "tier=2", "--batches", "1, lots"], "neither a number"),
        (["--where", "tier=2", "--playbook", "none"], "there is no playbook"),
        (["--where", "tier=2", "--playbook", "was-rolling", "--batches", "1"], "not both"),
        (["--task", "OPS-20200101-001"], "no such plan"),
        (["--plan", "ffff"], "no such plan"),
    ],
)
def test_what_cannot_be_planned_is_said(arguments: list[str], words: str) -> None:
    Tenant(servers=1)
    with pytest.raises(CommandError, match=words):
        said(*arguments)


def test_an_unknown_name_in_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "names"
    file.write_text("no-such-host\n")
    with pytest.raises(CommandError, match="no-such-host"):
        said("--file", str(file), "--batches", "1")
