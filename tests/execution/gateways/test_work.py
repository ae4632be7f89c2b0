"""The gateway's side: what it believes, keeps, does and spools. The core's answers are real; then the core is gone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from audit.models import Chain
from audit.services.make_checkpoint import make_checkpoint
from audit.verifying.all_chains import verify_all
from cmdb.models import Credential, Server
from cmdb.vault import unseal
from execution.choices import HaltScope, Phase
from execution.exceptions import ClaimLost, GateClosed
from execution.gate.admission import approved_content, check_artefacts, check_connection
from execution.gateways import spool, work
from execution.gateways.away import halt_if_core_away, mirror_halts
from execution.gateways.home import folder, pin_core
from execution.gateways.messages import parcel_digest
from execution.halts.lift import lift_halt
from execution.halts.press import halt
from execution.models import CoreLink, GatewayOrder, Halt, HostLock, HostRun, Parcel, Run, RunPart, StepResult
from execution.rollout.advance import advance
from execution.rollout.claims import claim_hosts
from execution.rollout.core_logs import Fetched, keep_core_logs
from execution.rollout.drive import claimable
from execution.rollout.record import Begin, Report, Settle, write_down
from execution.rollout.start_run import start_run
from execution.rollout.sweep import sweep
from guardia.common.clock import now
from guardia.common.signing import public_key
from tests.execution.gateways.scripted import ScriptedGateway
from tests.factories import Tenant
from tickets.models.artefact import stored_path

pytestmark = pytest.mark.django_db


@dataclass
class Given:
    """What the core gave, and who it was given to."""

    name: str
    order: dict[str, Any]
    part: dict[str, Any]
    sites: list[str]
    secrets: list[str]


@pytest.fixture
def given(in_english: None, settings: Any) -> Iterator[Given]:
    """Now we are the gateway, in a home where nothing but its keys and the pinned core is."""
    with transaction.atomic():
        tenant = Tenant(servers=2)
        gateway = ScriptedGateway(tenant).in_service()
        task, _plan = tenant.approved()
        run = start_run(task.pk)
        assert run is not None
        answer = gateway.pull()
        status, part = gateway.ask("part", {"run": run.pk})
        assert status == 200
        found = Given(gateway.name, answer["orders"][0], part, answer["sites"], ["open sesame"])
        transaction.set_rollback(True)
    assert not Run.objects.exists() and not Credential.objects.exists()
    pinned = public_key((settings.GUARDIA_HOME / "keys" / "gateways" / "core.pem").read_text())
    folder().mkdir(parents=True)
    (folder() / "sign.pem").write_text(gateway.sign_key)
    (folder() / "seal.pem").write_text(gateway.seal_key)
    pin_core(pinned, gateway.name)
    settings.GUARDIA_GATEWAY = gateway.name
    CoreLink.objects.create(pk=1, sites=found.sites, seen_at=now())
    yield found


@pytest.fixture
def host_run(given: Given) -> HostRun:
    """The order kept, and its host claimed by a worker here."""
    work.keep_part(given.part)
    work.keep_order(given.order)
    run = Run.objects.select_related("plan", "task__institution").get()
    [claimed] = claim_hosts(run, "w", 10)
    return claimed


def run_of() -> Run:
    return Run.objects.select_related("plan", "task__institution").get()


def content_of(parcel: Parcel | None) -> dict[str, Any]:
    assert parcel is not None
    return json.loads(parcel.body)  # type: ignore[no-any-return]


def test_what_the_core_signed_is_kept_under_its_own_keys_and_passes_the_gate(given: Given) -> None:
    run = work.keep_part(given.part)
    assert not claimable(run), "no order yet"
    work.keep_order(given.order)
    work.keep_order(given.order)
    assert GatewayOrder.objects.get().pk == given.order["order"]
    assert HostRun.objects.get().pk == given.order["host_run"] and run.pk == given.order["run"]
    assert {unseal(row) for row in Credential.objects.all()} == set(given.secrets)
    assert "open sesame" not in str(list(Credential.objects.values()))
    [claimed] = claim_hosts(run_of(), "w", 10)
    approved_content(run_of().plan)
    check_artefacts(run_of().plan.content)
    check_connection(claimed, "w")
    assert verify_all().is_intact
    assert [chain.key for chain in Chain.objects.all()] == [f"gateway:{given.name}"]


def test_a_changed_part_is_refused(given: Given) -> None:
    for part in (
        {**given.part, "document": given.part["document"].replace("/srv/app", "/srv/bad")},
        {**given.part, "signature": "00" * 70},
        {**given.part, "credentials": [{**given.part["credentials"][0], "revision": 7}]},
    ):
        with pytest.raises(GateClosed):
            work.keep_part(part)
    assert not Run.objects.exists() and not Credential.objects.exists() and not Server.objects.exists()


def test_another_gateways_part_is_refused(given: Given, settings: Any) -> None:
    settings.GUARDIA_GATEWAY = "OTHER/far"
    with pytest.raises(GateClosed):
        work.keep_part(given.part)


def test_a_part_for_sites_that_are_not_ours_is_refused(given: Given) -> None:
    CoreLink.objects.update(sites=["ELSEWHERE"])
    with pytest.raises(GateClosed, match="aren't ours"):
        work.keep_part(given.part)
    assert not Run.objects.exists()


def test_the_gate_asks_for_the_signature_before_every_connection(host_run: HostRun) -> None:
    check_connection(host_run, "w")
    RunPart.objects.update(signature="00" * 70)
    with pytest.raises(GateClosed) as closed:
        check_connection(host_run, "w")
    assert closed.value.code == "not_signed"
    RunPart.objects.all().delete()
    with pytest.raises(GateClosed):
        check_connection(host_run, "w")


def test_an_order_for_a_host_that_is_not_in_the_part_is_refused_and_told(given: Given) -> None:
    work.keep_part(given.part)
    with pytest.raises(GateClosed):
        work.keep_order({**given.order, "hostname": "elsewhere"})
    work.refuse_order(given.order["order"], "not in the part")
    told = content_of(spool.seal_parcel())
    assert told["refused"] == [{"order": given.order["order"], "reason": "not in the part"}]
    assert spool.seal_parcel() is None or content_of(Parcel.objects.last())["refused"] == []


def test_the_core_decides_what_comes_next(host_run: HostRun) -> None:
    write_down(run_of(), "w", [Report(host_run, [Settle("fail", "step_failed", "no")])])
    assert advance(run_of().pk) is True
    run = run_of()
    assert (run.status, run.task.status, HostRun.objects.get().status) == ("RUNNING", "EXE", "FAILED")
    assert not claimable(run)


def test_parcels_are_numbered_chained_and_say_everything_once(host_run: HostRun, given: Given) -> None:
    first = spool.seal_parcel()
    assert first is not None and (first.number, content_of(first)["previous"]) == (1, "")
    [host] = content_of(first)["hosts"]
    assert (host["order"], host["status"], host["is_settled"]) == (given.order["order"], "RUNNING", False)
    write_down(run_of(), "w", [Report(host_run, [Begin(Phase.APPLY, 0, 1, "check_disk", {"pid": "7"})])])
    second = spool.seal_parcel()
    assert second is not None and content_of(second)["previous"] == first.digest
    assert second.digest == parcel_digest(first.digest, second.body)
    [host] = content_of(second)["hosts"]
    assert [(step["name"], step["status"]) for step in host["steps"]] == [("check_disk", "STARTED")]
    assert host["saved"] == {"pid": "7"}
    write_down(run_of(), "w", [Report(host_run, [Settle("fail", "step_failed", "no")])])
    third = spool.seal_parcel()
    [host] = content_of(third)["hosts"]
    assert (host["status"], host["is_settled"], host["code"], host["steps"]) == ("FAILED", True, "step_failed", [])
    assert GatewayOrder.objects.get().settled_at is not None
    assert spool.seal_parcel() is None
    entries = [body for parcel in Parcel.objects.all() for body in content_of(parcel)["entries"]]
    numbers = [json.loads(body)["number"] for body in entries]
    assert numbers == list(range(1, Chain.objects.get().head_number + 1))
    kinds = [event["kind"] for parcel in Parcel.objects.all() for event in content_of(parcel)["events"]]
    assert kinds == ["host_taken", "step_started", "host_settled"]
    spool.handed_over(2)
    assert [parcel.number for parcel in Parcel.objects.all()] == [3]


def test_the_logs_of_a_failed_host_are_told_once(host_run: HostRun) -> None:
    logs = [Fetched("/srv/app/logs/app.log", "it broke"), Fetched("/srv/app/none.log", "", "no such file")]
    keep_core_logs(host_run, "w", Phase.APPLY, logs)
    [host] = content_of(spool.seal_parcel())["hosts"]
    assert host["logs"] == [
        {"path": "/srv/app/logs/app.log", "text": "it broke", "error": ""},
        {"path": "/srv/app/none.log", "text": "", "error": "no such file"},
    ]
    write_down(run_of(), "w", [Report(host_run, [Settle("fail", "step_failed", "no")])])
    [host] = content_of(spool.seal_parcel())["hosts"]
    assert host["is_settled"] and host["logs"] == []


def test_what_was_taken_back_is_dropped_and_its_worker_goes_no_further(host_run: HostRun, given: Given) -> None:
    write_down(run_of(), "w", [Report(host_run, [Begin(Phase.APPLY, 0, 1, "check_disk", {})])])
    work.drop_orders([given.order["order"], 10**6])
    assert HostRun.objects.get().status == "UNCERTAIN" and GatewayOrder.objects.get().settled_at is not None
    assert isinstance(write_down(run_of(), "w", [Report(host_run, [Settle("finish")])])[0], ClaimLost)
    told = content_of(spool.seal_parcel())
    assert told["hosts"] == [], "how the host is, is no longer ours to say"
    assert [event["kind"] for event in told["events"]] == ["host_taken", "step_started"]
    assert claim_hosts(run_of(), "w", 10) == []


def test_a_host_that_waited_for_its_look_is_left_when_it_halts(given: Given) -> None:
    work.keep_part(given.part)
    work.keep_order({**given.order, "phase": "CHECK"})
    assert HostRun.objects.get().status == "CHECK_PENDING"
    halt(actor="console:root", scope=HaltScope.GLOBAL, reason="smoke")
    [host] = content_of(spool.seal_parcel())["hosts"]
    assert (host["status"], host["is_settled"]) == ("DONE", True), "the core hears of it"


def test_an_undo_on_a_new_home_begins_from_what_the_core_knows(given: Given) -> None:
    steps = [{"phase": "APPLY", "order": 2, "attempt": 1, "name": "stop", "status": "OK", "error_code": ""}]
    work.keep_part(given.part)
    work.keep_order(
        {
            **given.order,
            "phase": "UNDO",
            "status": "ROLLING_BACK",
            "saved": {"pid": "9"},
            "stays_drained": True,
            "steps": steps,
        }
    )
    [host_run] = claim_hosts(run_of(), "w", 10)
    assert (host_run.status, host_run.saved, run_of().status) == ("UNDOING", {"pid": "9"}, "ROLLING_BACK")
    assert host_run.stays_drained, "it is left out of its balancer, as the core wants it"
    assert StepResult.objects.get().name == "stop"


def test_without_an_open_order_nothing_is_taken_up_again(host_run: HostRun) -> None:
    write_down(run_of(), "w", [Report(host_run, [Settle("finish")])])
    spool.seal_parcel()
    HostRun.objects.update(status="PENDING")
    assert claim_hosts(run_of(), "w", 10) == []


def test_the_kill_switch_works_here_and_the_core_hears_of_it(given: Given) -> None:
    work.keep_part(given.part)
    work.keep_order(given.order)
    halt(actor="console:root", scope=HaltScope.GLOBAL, reason="smoke")
    assert HostRun.objects.get().status == "UNTOUCHED"
    told = content_of(spool.seal_parcel())
    assert told["halts"] == [{"run": None, "reason": "smoke", "halted_as": "console:root"}]
    assert [(host["status"], host["is_settled"]) for host in told["hosts"]] == [("UNTOUCHED", True)]
    assert run_of().status == "RUNNING" and run_of().halt is None
    lift_halt(actor="console:root", pk=Halt.objects.get().pk, reason="no fire")
    sweep()
    assert not claimable(run_of()), "it goes on when the core says so"
    work.keep_order({**given.order, "order": given.order["order"] + 1})
    assert claimable(run_of())


def test_the_cores_presses_are_ours_as_long_as_they_hold(host_run: HostRun) -> None:
    said = {"run": None, "reason": "smoke", "halted_as": "PM", "rolls_back": False}
    for _time in range(2):
        mirror_halts([said, {**said, "run": host_run.wave.run_id}])
    assert Halt.objects.filter(lifted_at=None).count() == 2
    with pytest.raises(GateClosed):
        check_connection(host_run, "w")
    mirror_halts([said])
    assert [row.scope for row in Halt.objects.filter(lifted_at=None)] == ["INSTITUTION"]
    mirror_halts([])
    check_connection(host_run, "w")
    assert content_of(spool.seal_parcel())["halts"] == [], "the core knows them"


@pytest.mark.parametrize(("policy", "seconds", "halts"), [("FINISH", 999, 0), ("HALT", 30, 0), ("HALT", 61, 1)])
def test_alone_it_does_what_the_policy_says(host_run: HostRun, policy: str, seconds: int, halts: int) -> None:
    CoreLink.objects.update(when_away=policy, away_seconds=60, seen_at=now() - timedelta(seconds=seconds))
    for _time in range(2):
        halt_if_core_away()
    assert Halt.objects.filter(lifted_at=None).count() == halts
    told = content_of(spool.seal_parcel())
    assert len(told["halts"]) == halts, "what it stopped by itself, the core must hear of"
    mirror_halts([])
    assert not Halt.objects.filter(lifted_at=None).exists(), "reached again"


def test_what_is_over_at_the_core_leaves_nothing_that_opens_a_server(host_run: HostRun, given: Given) -> None:
    digest = run_of().plan.content["artefacts"][0]["sha256"]
    assert stored_path(digest).exists()
    work.close_runs([given.order["run"]])
    assert Credential.objects.exists() and HostLock.objects.exists()
    work.close_runs([])
    assert not Credential.objects.exists() and not HostLock.objects.exists() and not stored_path(digest).exists()
    with pytest.raises(GateClosed):
        check_connection(host_run, "w")
    work.close_runs([])


def test_an_order_for_a_host_that_is_held_is_refused(host_run: HostRun, given: Given) -> None:
    with pytest.raises(GateClosed):
        work.keep_order({**given.order, "order": given.order["order"] + 1})
    assert HostRun.objects.get().claim == "w"
    assert isinstance(write_down(run_of(), "x", [Report(host_run, [Settle("finish")])])[0], ClaimLost)


def test_its_chain_is_sealed_there_too(host_run: HostRun, given: Given) -> None:
    sealed = json.loads(make_checkpoint(reason="asked").line)
    assert [head[0] for head in sealed["heads"]] == [f"gateway:{given.name}"]
