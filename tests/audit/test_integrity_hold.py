"""A broken chain is marked, told and stops executions in its scope, until it is whole again or two people accept."""

import json

import pytest

from accounts.choices import Role
from audit.choices import HoldStatus, Mode
from audit.exceptions import ReasonNeeded, SecondPersonNeeded
from audit.models import Chain, Entry, IntegrityHold
from audit.selectors import stopping_hold
from audit.services.accept_break import decide_acceptance, propose_acceptance
from audit.services.verify import verify
from execution.exceptions import GateClosed
from execution.gate.admission import check_connection
from execution.models import Run
from execution.rollout.claims import claim_hosts
from execution.rollout.start_run import start_run
from guardia.common.errors import GuardiaError, NotPermitted, NotVisible, StaleState
from notifications.models import Notification
from tests.audit.forgery import forge, make_chain
from tests.doors import browser
from tests.factories import Tenant, make_institution, make_user
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


def check() -> list[IntegrityHold]:
    verify(mode=Mode.FULL, actor="test")
    return list(IntegrityHold.objects.order_by("pk"))


def breaks(chain: Chain, number: int = 2) -> str:
    """The actor of one entry is changed; returns what it was."""
    actor: str = chain.entries.get(number=number).actor
    forge("UPDATE audit_entry SET actor = 'nobody' WHERE chain_id = %s AND number = %s", chain.pk, number)
    return actor


def test_a_break_is_marked_and_told_once(django_capture_on_commit_callbacks: object) -> None:
    institution, other = make_institution(), make_institution()
    officer, elsewhere = make_user(Role.SECURITY_OFFICER, institution), make_user(Role.SECURITY_OFFICER, other)
    chain = make_chain(5, institution)
    breaks(chain)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            (hold,) = check()
    assert (hold.chain, hold.number, hold.kind, hold.status) == (chain.key, 2, "altered", HoldStatus.ACTIVE)
    assert Notification.objects.filter(recipient=officer, kind="integrity_broken").count() == 1
    assert not Notification.objects.filter(recipient=elsewhere, kind="integrity_broken").exists()
    assert Entry.objects.filter(action="integrity.broken").count() == 1
    assert stopping_hold(institution) == hold and stopping_hold(other) is None


def test_the_systems_chain_stops_everybody() -> None:
    institution, officer = make_institution(), make_user(Role.AUDITOR)
    browser(officer).post("/login/", {"username": officer.username, "password": "wrong"})
    chain = Chain.objects.get(key="system")
    breaks(chain, 1)
    check()
    hold = stopping_hold(institution)
    assert hold is not None and hold.scope == ""


def test_whole_again_is_restored_and_runs_again() -> None:
    institution = make_institution()
    chain = make_chain(5, institution)
    actor = breaks(chain)
    check()
    forge("UPDATE audit_entry SET actor = %s WHERE chain_id = %s AND number = 2", actor, chain.pk)
    verify(mode=Mode.INCREMENTAL, actor="test")
    assert stopping_hold(institution) is not None, "only a look at everything lifts it"
    (hold,) = check()
    assert hold.status == HoldStatus.RESTORED and stopping_hold(institution) is None


def test_two_people_accept_and_the_chain_begins_anew() -> None:
    institution = make_institution()
    officer, second = make_user(Role.SECURITY_OFFICER, institution), make_user(Role.ADMINISTRATOR, institution)
    chain = make_chain(5, institution)
    breaks(chain)
    (hold,) = check()
    stranger = make_user(Role.SECURITY_OFFICER, make_institution())
    refusals: list[tuple[object, dict[str, object], type[GuardiaError]]] = [
        (propose_acceptance, {"actor": make_user(Role.PM, institution), "reason": "x"}, NotPermitted),
        (
            propose_acceptance,
            {"actor": stranger, "reason": "x"},
            NotVisible,
        ),
        (propose_acceptance, {"actor": officer, "reason": "  "}, ReasonNeeded),
        (decide_acceptance, {"actor": second, "accept": True}, StaleState),
    ]
    for act, arguments, error in refusals:
        with nothing_changes(), pytest.raises(error):
            act(hold_pk=hold.pk, **arguments)  # type: ignore[operator]
    propose_acceptance(actor=officer, hold_pk=hold.pk, reason="디스크 오류로 확인됨")
    with nothing_changes(), pytest.raises(SecondPersonNeeded):
        decide_acceptance(actor=officer, hold_pk=hold.pk, accept=True)
    assert stopping_hold(institution) is not None
    decide_acceptance(actor=second, hold_pk=hold.pk, accept=True)
    assert stopping_hold(institution) is None
    make_chain(2, institution)
    successor = Chain.objects.get(scope=chain.key)
    assert (successor.key, successor.head_number) == (f"{chain.key}~2", 3)
    first = json.loads(successor.entries.get(number=1).body)
    assert (first["action"], first["facts"]["first_bad"]) == ("chain.begun_anew", 2)
    assert Chain.objects.get(pk=chain.pk).is_closed and chain.entries.count() == 5
    holds = check()
    assert [one.status for one in holds] == [HoldStatus.ACCEPTED], "it stays told, and stops nothing more"
    breaks(successor)
    assert [one.status for one in check()] == [HoldStatus.ACCEPTED, HoldStatus.ACTIVE]


def test_a_refusal_leaves_everything_stopped() -> None:
    institution = make_institution()
    breaks(make_chain(3, institution))
    (hold,) = check()
    propose_acceptance(actor=make_user(Role.SECURITY_OFFICER, institution), hold_pk=hold.pk, reason="x")
    decide_acceptance(actor=make_user(Role.ADMINISTRATOR, institution), hold_pk=hold.pk, accept=False)
    assert IntegrityHold.objects.get().status == HoldStatus.ACTIVE and stopping_hold(institution) is not None


def test_executions_stop_before_a_run_and_before_each_new_host() -> None:
    tenant = Tenant()
    task, _plan = tenant.approved()
    chain = Chain.objects.get(key=f"institution:{tenant.institution.code}")
    actor = breaks(chain, 1)
    check()
    assert start_run(task.pk) is None and not Run.objects.exists()
    assert chain.key in OpsTask.objects.get(pk=task.pk).reason
    forge("UPDATE audit_entry SET actor = %s WHERE chain_id = %s AND number = 1", actor, chain.pk)
    check()
    assert start_run(task.pk) is not None
    (host_run, *_rest) = claim_hosts(Run.objects.get(), "c", 1)
    check_connection(host_run, "c")
    breaks(chain, 1)
    check()
    with pytest.raises(GateClosed) as refusal:
        check_connection(host_run, "c")
    assert refusal.value.code == "integrity_hold"


def test_the_pages_lead_through_it() -> None:
    institution = make_institution()
    officer, second = make_user(Role.SECURITY_OFFICER, institution), make_user(Role.ADMINISTRATOR, institution)
    chain = make_chain(5, institution)
    breaks(chain)
    (hold,) = check()
    page = f"/admin/audit/integrityhold/{hold.pk}"
    assert chain.key in browser(officer).get("/admin/audit/chain/").content.decode()
    entry = chain.entries.get(number=2)
    assert page in browser(officer).get(f"/admin/audit/entry/{entry.pk}/change/").content.decode()
    assert "propose/" in browser(officer).get(f"{page}/change/").content.decode()
    assert "propose/" not in browser(second).get(f"{page}/change/").content.decode()
    assert browser(officer).post(f"{page}/propose/", {"reason": "왜"}).status_code == 302
    assert browser(officer).post(f"{page}/decide/", {"decision": "accept"}).status_code == 403
    assert browser(second).post(f"{page}/decide/", {"decision": "accept"}).status_code == 302
    assert IntegrityHold.objects.get().status == HoldStatus.ACCEPTED
