"""What the core gives to a gateway and takes from it, with a gateway whose every word is the test's."""

import base64
import json
from typing import Any

import pytest

from accounts.choices import Role
from audit.chain import body_of, entry_hash, gateway_chain, genesis
from audit.models import Chain, Entry
from audit.selectors import chains_visible_to
from audit.services.make_checkpoint import make_checkpoint
from audit.verifying.all_chains import verify_all
from cmdb.choices import OnDrift
from cmdb.models import EnvironmentProfile, Gateway
from execution.choices import HaltScope
from execution.gateways import keeping
from execution.gateways.home import core_key
from execution.gateways.messages import credential_bound, part_bytes
from execution.halts.press import halt
from execution.models import GatewayOrder, HostRun, Run, RunEvent, ServerFacts, StepResult
from execution.plan.prepare import prepare_plan
from execution.rollout.claims import claim_hosts
from execution.rollout.drive import claimable
from guardia.common.agreement import open_for
from guardia.common.canonical import digest, moment_text
from guardia.common.clock import now
from guardia.common.errors import NotVisible, StaleState
from guardia.common.signing import is_signed, public_key
from tests.execution.gateways.scripted import ScriptedGateway
from tests.factories import Tenant, make_server, make_user
from tests.queue import run_queue
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(in_english: None) -> Tenant:
    return Tenant(servers=2)


@pytest.fixture
def gateway(tenant: Tenant) -> ScriptedGateway:
    return ScriptedGateway(tenant).in_service()


def begun(tenant: Tenant) -> Run:
    """An approved run whose hosts all stand behind the gateway; the core's workers have been rung."""
    task, _plan = tenant.approved()
    run_queue()
    return Run.objects.get(task=task)


def step(order: int, status: str = "OK", **said: Any) -> dict[str, Any]:
    moment = moment_text(now())
    return {
        "phase": "APPLY",
        "order": order,
        "attempt": 1,
        "name": f"step {order}",
        "status": status,
        "exit_status": 0,
        "output": "fine",
        "output_sha256": "a" * 64,
        "error_code": "",
        "started_at": moment,
        "finished_at": moment,
        "table": None,
        **said,
    }


def test_the_plan_names_the_gateway_and_the_cores_workers_leave_its_hosts_alone(
    tenant: Tenant, gateway: ScriptedGateway
) -> None:
    run = begun(tenant)
    assert {host["gateway"] for host in run.plan.content["hosts"].values()} == {gateway.name}
    assert claim_hosts(run, "a worker of ours", 10) == [] and not claimable(run)
    assert set(HostRun.objects.values_list("status", flat=True)) == {"PENDING"}


def test_an_order_is_given_once_and_listed_until_it_is_kept(tenant: Tenant, gateway: ScriptedGateway) -> None:
    run = begun(tenant)
    first, again = gateway.pull()["orders"], gateway.pull()["orders"]
    assert first == again and [order["phase"] for order in first] == ["APPLY"], "the canary's wave"
    [order] = first
    host_run = HostRun.objects.get(pk=order["host_run"])
    assert (host_run.status, host_run.claim) == ("RUNNING", f"gateway-order:{order['order']}")
    assert claim_hosts(run, "a worker of ours", 10) == []
    assert gateway.pull(have=[order["order"]])["orders"] == []
    assert Entry.objects.filter(action="gateway.order_given").count() == 1


def test_a_part_holds_its_own_hosts_and_their_credentials_for_its_key_alone(in_english: None) -> None:
    tenant = Tenant(servers=2)
    gateway = ScriptedGateway(tenant).in_service()
    tenant.servers.append(make_server(tenant.system))  # reached by the core itself
    task, _plan = tenant.approved()
    run_queue()
    run = Run.objects.get(task=task)
    run.waves.update(is_open=True)
    orders = gateway.pull()["orders"]
    status, part = gateway.ask("part", {"run": run.pk})
    assert status == 200
    content = json.loads(part["document"])
    own = sorted(server.hostname for server in tenant.servers[:2])
    assert sorted(content["hosts"]) == own and sorted(order["hostname"] for order in orders) == own
    assert tenant.servers[2].hostname not in part["document"]
    assert content["plan_digest"] == run.plan.digest
    signed = part_bytes(gateway.name, digest(content))
    assert is_signed(public_key(core_key()), signed, part["signature"])
    assert not is_signed(public_key(core_key()), part_bytes("other/far", digest(content)), part["signature"])
    assert len(part["credentials"]) == 2
    for said in part["credentials"]:
        sealed = base64.b64decode(said["sealed"])
        bound = credential_bound(gateway.name, said["credential"], said["revision"])
        assert open_for(gateway.seal_key, sealed, bound) == b"open sesame"
        assert open_for(gateway.seal_key, sealed, b"x") is None and open_for(gateway.sign_key, sealed, bound) is None
        assert b"open sesame" not in json.dumps(part).encode()


def test_files_come_in_pieces_and_only_those_of_its_orders(tenant: Tenant, gateway: ScriptedGateway) -> None:
    run = begun(tenant)
    sha = run.plan.content["artefacts"][0]["sha256"]
    assert gateway.ask("artefact", {"sha256": sha, "offset": 0})[0] == 404, "no order yet"
    gateway.pull()
    assert gateway.ask("artefact", {"sha256": sha, "offset": 0}) == (200, b"artefact")
    assert gateway.ask("artefact", {"sha256": sha, "offset": 5}) == (200, b"act")
    assert gateway.ask("artefact", {"sha256": sha, "offset": -1})[0] == 404
    assert gateway.ask("artefact", {"sha256": "0" * 64, "offset": 0})[0] == 404
    other = Tenant(servers=1)
    stranger = ScriptedGateway(other).in_service()
    assert stranger.ask("artefact", {"sha256": sha, "offset": 0})[0] == 404
    assert stranger.ask("part", {"run": run.pk})[0] == 404


def test_a_run_goes_on_with_what_the_gateway_tells(tenant: Tenant, gateway: ScriptedGateway) -> None:
    run = begun(tenant)
    for _wave in range(2):
        [order] = gateway.pull(have=[])["orders"]
        steps = [step(0, "STARTED", exit_status=None, finished_at=None)]
        told = [gateway.host(order["order"], "RUNNING", is_settled=False, steps=steps, saved={"pid": "7"})]
        happened = [{"order": order["order"], "kind": "step_started", "data": {"step": "x"}, "at": "2026-01-01"}]
        assert gateway.hand_over(hosts=told, events=happened)[0] == 200
        assert StepResult.objects.get(host_run=order["host_run"]).status == "STARTED"
        told = [gateway.host(order["order"], "DONE", steps=[step(0), step(1)])]
        assert gateway.hand_over(hosts=told)[0] == 200
        run_queue()
    run = Run.objects.get(pk=run.pk)
    assert run.status == "SUCCEEDED"
    assert set(HostRun.objects.values_list("status", "claim")) == {("DONE", "")}
    assert StepResult.objects.filter(status="OK").count() == 4
    assert OpsTask.objects.get().status == "VAL"
    assert not GatewayOrder.objects.filter(settled_at=None).exists()
    told = RunEvent.objects.filter(kind="step_started").values_list("data__gateway", flat=True)
    assert set(told) == {gateway.row.name}
    numbers = list(RunEvent.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("asked", [True, False])
def test_what_it_saw_of_a_server_is_compared_here_with_the_approved_plan(in_english: None, asked: bool) -> None:
    tenant = Tenant(servers=2)
    if asked:
        EnvironmentProfile.objects.update(on_drift=OnDrift.WARN, os_text="Solaris")
    gateway = ScriptedGateway(tenant).in_service()
    begun(tenant)
    [order] = gateway.pull()["orders"]
    facts = {"named": {"os": "Linux 2.4"}, "paths": {}}
    told = [gateway.host(order["order"], "DONE", steps=[step(0)], facts=facts)]
    assert gateway.hand_over(hosts=told)[0] == 200
    assert [row.named for row in ServerFacts.objects.all()] == ([{"os": "Linux 2.4"}] if asked else [])
    differences = {one["fact"]: one["found"] for one in StepResult.objects.get().drift}
    assert differences.get("os") == ("Linux 2.4" if asked else None)


def test_a_failure_there_is_rolled_back_by_an_order_that_says_where_it_stands(
    tenant: Tenant, gateway: ScriptedGateway
) -> None:
    run = begun(tenant)
    [order] = gateway.pull()["orders"]
    orders_of_changes = [at for at, one in enumerate(steps_of(run, order)) if one["changes"]][:1]
    steps = [step(at) for at in range(orders_of_changes[0] + 1)]
    told = [gateway.host(order["order"], "FAILED", code="step_failed", error="no", steps=steps, saved={"pid": "9"})]
    assert gateway.hand_over(hosts=told)[0] == 200
    run_queue()
    [back] = gateway.pull()["orders"]
    assert (back["phase"], back["saved"], len(back["steps"])) == ("UNDO", {"pid": "9"}, len(steps))
    assert back["order"] != order["order"] and back["host_run"] == order["host_run"]
    assert gateway.hand_over(hosts=[gateway.host(back["order"], "UNDONE")])[0] == 200
    run_queue()
    assert Run.objects.get(pk=run.pk).status == "ROLLED_BACK"


def test_a_repeated_parcel_is_acknowledged_and_counts_once(tenant: Tenant, gateway: ScriptedGateway) -> None:
    begun(tenant)
    [order] = gateway.pull()["orders"]
    parcel = gateway.parcel(hosts=[gateway.host(order["order"], "DONE", steps=[step(0)])])
    for _time in range(3):
        assert gateway.ask("parcel", parcel) == (200, {"taken": 1, "keys": 0})
    assert StepResult.objects.count() == 1 and gateway.reread().alarm == ""


@pytest.mark.parametrize("kind", ["gap", "fork", "other past", "lost past", "shorter"])
def test_a_spool_with_a_gap_or_a_fork_is_refused_and_alarmed(
    tenant: Tenant, gateway: ScriptedGateway, kind: str
) -> None:
    begun(tenant)
    gateway.hand_over()
    first_digest = gateway.digest
    gateway.hand_over()
    if kind == "gap":
        gateway.parcel()
        answer = gateway.hand_over()
    elif kind == "fork":  # another parcel 2
        gateway.number, gateway.digest = 1, first_digest
        answer = gateway.hand_over(halts=[], events=[], refused=[], entries=[], hosts=[], more=1)
    elif kind == "other past":
        gateway.digest = "f" * 64
        answer = gateway.hand_over()
    elif kind == "lost past":  # a back-up from before parcel 2, then the next one anew
        answer = gateway.ask("pull", _pull(1, first_digest))
    else:
        answer = gateway.ask("pull", _pull(2, "e" * 64))
    assert answer[0] == 409
    row = gateway.reread()
    assert row.alarm and row.taken_number == 2
    assert Entry.objects.filter(action="gateway.alarm").count() == 1
    assert gateway.ask("parcel", gateway.parcel())[0] in (401, 409)
    assert Gateway.objects.get().taken_number == 2
    assert gateway.ask("pull", _pull(2, row.taken_digest))[1].get("orders", []) == [], "nothing more is given"


@pytest.mark.parametrize(
    "said",
    [
        {"status": "SUCCESS"},
        {"status": "UNDONE"},
        {"status": "PENDING"},
        {"steps": [step(0, "GREAT")]},
        {"steps": [step(0, phase="SIDEWAYS")]},
        {"steps": [{"phase": "APPLY"}]},
        {"steps": [step(0, started_at="yesterday")]},
        {"steps": [step(10**9)]},
        {"saved": []},
        {"order": 10**12},
        {"order": "x"},
    ],
)
def test_what_cannot_be_is_refused_whole(tenant: Tenant, gateway: ScriptedGateway, said: dict[str, Any]) -> None:
    begun(tenant)
    [order] = gateway.pull()["orders"]
    events = RunEvent.objects.count()
    host = {**gateway.host(order["order"], "DONE"), **said}
    assert gateway.hand_over(hosts=[host])[0] == 409
    assert gateway.reread().alarm and gateway.row.taken_number == 0
    assert HostRun.objects.get(pk=order["host_run"]).status == "RUNNING" and not StepResult.objects.exists()
    assert RunEvent.objects.count() == events


def test_another_gateways_orders_are_not_its_to_tell(tenant: Tenant, gateway: ScriptedGateway) -> None:
    begun(tenant)
    [order] = gateway.pull()["orders"]
    stranger = ScriptedGateway(Tenant(servers=1)).in_service()
    assert stranger.hand_over(hosts=[stranger.host(order["order"], "DONE")])[0] == 409
    assert stranger.reread().alarm and not gateway.reread().alarm
    assert HostRun.objects.get(pk=order["host_run"]).status == "RUNNING"


def entries(gateway: ScriptedGateway, count: int, number: int = 0, before: str = "") -> list[str]:
    key, bodies = gateway_chain(gateway.name), []
    before = before or genesis(key)
    common = dict.fromkeys(("task_id", "object_type", "object_id", "object", "summary", "source_ip", "channel"), "")
    common |= dict.fromkeys(("run_id", "system", "server", "step", "output_sha256"), "")
    for at in range(number + 1, number + count + 1):
        facts = {**common, "action": "step.ok", "actor": "guardia-worker", "recorded_at": moment_text(now())}
        body = body_of(
            chain=key,
            number=at,
            prev_hash=before,
            facts={**facts, "commands": [], "result_code": 0, "facts": {}, "personal": None},
        )
        before = entry_hash(body)
        bodies.append(body.decode())
    return bodies


def test_its_chain_is_received_verified_seen_and_sealed(tenant: Tenant, gateway: ScriptedGateway) -> None:
    assert gateway.hand_over(entries=entries(gateway, 3))[0] == 200
    head = Chain.objects.get(key=gateway_chain(gateway.name))
    assert head.head_number == 3
    assert gateway.hand_over(entries=entries(gateway, 2, 3, head.head_hash))[0] == 200
    report = {one.chain: one for one in verify_all()}[head.key]
    assert report.is_intact and report.entries == 5
    assert head.key in json.dumps(json.loads(make_checkpoint(reason="asked").line)["heads"])
    assert head in chains_visible_to(tenant.pm)
    assert head not in chains_visible_to(make_user(Role.PM, Tenant(servers=0).institution))


@pytest.mark.parametrize("how", ["altered", "skipped", "foreign", "twice", "not canonical", "no json", "none"])
def test_an_altered_entry_is_refused_and_alarmed(tenant: Tenant, gateway: ScriptedGateway, how: str) -> None:
    good = entries(gateway, 3)
    bad: list[Any] = {
        "altered": [good[0], good[1].replace("step.ok", "step.no"), good[2]],
        "skipped": [good[0], good[2]],
        "foreign": [text.replace("gateway:", "institution:") for text in good],
        "twice": [good[0], good[0]],
        "not canonical": [good[0].replace(",", ", ", 1)],
        "no json": ["{"],
        "none": [None],
    }[how]
    assert gateway.hand_over(entries=bad)[0] == 409
    assert gateway.reread().alarm and not Chain.objects.filter(key=gateway_chain(gateway.name), head_number__gt=0)


def test_the_kill_switch_goes_both_ways(tenant: Tenant, gateway: ScriptedGateway) -> None:
    run = begun(tenant)
    [order] = gateway.pull()["orders"]
    assert gateway.pull()["halts"] == []
    halt(actor=tenant.pm, scope=HaltScope.RUN, task_id=run.task.task_id, reason="smoke")
    assert [said["reason"] for said in gateway.pull()["halts"]] == ["smoke"]
    assert Run.objects.get().status == "RUNNING", "it waits for what the gateway holds"
    assert gateway.hand_over(hosts=[gateway.host(order["order"], "HALTED", code="halted", error="before 3")])[0] == 200
    run_queue()
    assert Run.objects.get().status == "HALTED" and OpsTask.objects.get().status == "HLT"


def test_a_press_there_stops_the_run_here(tenant: Tenant, gateway: ScriptedGateway) -> None:
    begun(tenant)
    [order] = gateway.pull()["orders"]
    halts = [{"run": None, "reason": "fire", "halted_as": "console:root"}]
    hosts = [gateway.host(order["order"], "UNCERTAIN", code="halted", error="within a step")]
    assert gateway.hand_over(halts=halts, hosts=hosts)[0] == 200
    run_queue()
    run = Run.objects.get()
    assert run.status == "HALTED" and "fire" in run.reason and "far" in run.halt.halted_as


def test_an_order_that_the_gateway_refuses_fails_without_having_begun(tenant: Tenant, gateway: ScriptedGateway) -> None:
    begun(tenant)
    [order] = gateway.pull()["orders"]
    assert gateway.hand_over(refused=[{"order": order["order"], "reason": "not my site"}])[0] == 200
    run_queue()
    run = Run.objects.get()
    assert run.status == "ROLLED_BACK" and "not my site" in run.reason


def test_revoking_in_the_middle_leaves_nothing_to_the_thief(tenant: Tenant, gateway: ScriptedGateway) -> None:
    begun(tenant)
    [order] = gateway.pull()["orders"]
    keeping.revoke_gateway(actor=gateway.admin, gateway_pk=gateway.row.pk, reason="stolen")
    run_queue()
    host_run = HostRun.objects.get(pk=order["host_run"])
    assert (host_run.status, host_run.error_code) == ("UNCERTAIN", "gateway_revoked")
    assert Run.objects.get().status == "HALTED"
    assert gateway.hand_over(hosts=[gateway.host(order["order"], "DONE")])[0] == 403
    assert HostRun.objects.get(pk=order["host_run"]).status == "UNCERTAIN"
    assert OpsTask.objects.get().status == "HLT"


def test_sites_are_named_once_and_not_moved_under_a_run(tenant: Tenant, gateway: ScriptedGateway) -> None:
    sites = [server.site_id for server in tenant.servers]
    other = ScriptedGateway(tenant, code="near")
    with pytest.raises(StaleState, match="belongs to"):
        keeping.set_gateway_sites(actor=gateway.admin, gateway_pk=other.row.pk, site_pks=sites)
    with pytest.raises(NotVisible):
        foreign = Tenant(servers=1).servers[0].site_id
        keeping.set_gateway_sites(actor=gateway.admin, gateway_pk=other.row.pk, site_pks=[foreign])
    begun(tenant)
    with pytest.raises(StaleState, match="under way"):
        keeping.set_gateway_sites(actor=gateway.admin, gateway_pk=gateway.row.pk, site_pks=[])
    keeping.revoke_gateway(actor=gateway.admin, gateway_pk=gateway.row.pk, reason="replaced")
    keeping.set_gateway_sites(actor=gateway.admin, gateway_pk=other.row.pk, site_pks=sites)
    assert {server.site.gateway_id for server in type(tenant.servers[0]).objects.all()} == {other.row.pk, None}


def test_nothing_is_planned_through_a_gateway_that_is_not_in_service(tenant: Tenant) -> None:
    waiting = ScriptedGateway(tenant)
    sites = [server.site_id for server in tenant.servers]
    keeping.set_gateway_sites(actor=waiting.admin, gateway_pk=waiting.row.pk, site_pks=sites)
    task = tenant.file()
    assert prepare_plan(task.pk) is None
    assert "not in service" in OpsTask.objects.get(pk=task.pk).reason


def steps_of(run: Run, order: dict[str, Any]) -> list[dict[str, Any]]:
    return list(run.plan.content["hosts"][order["hostname"]]["steps"])


def _pull(number: int, head: str) -> dict[str, Any]:
    return {"format": 1, "version": "", "backlog": 0, "head": [number, head], "runs": [], "have": []}
