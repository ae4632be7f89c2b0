"""Every service that is an act of rank, made ready to be called: to prove that each asks from where it is called."""

import io
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from django.db import transaction

from accounts.choices import Authority, Role
from accounts.models import User
from audit.choices import ReportFormat, ReportKind
from audit.models import DataKey, IntegrityHold, Report
from audit.services import record
from audit.services.accept_break import decide_acceptance, propose_acceptance
from audit.services.erase_key import decide_erasure, propose_erasure
from audit.services.export import export_chains
from audit.services.make_report import make_report
from audit.services.order_report import order_report, retry_report
from audit.services.review_report import explain_entry, sign_off_review
from audit.services.take_report import take_report
from cmdb.models import EnvironmentProfile, Site
from cmdb.services.import_cmdb import import_cmdb
from cmdb.services.save_profile import save_profile
from cmdb.services.save_row import save_row
from cmdb.services.store_credential import store_credential
from execution.choices import HaltScope, RollbackScope
from execution.gate.direct import look_at_hosts
from execution.gate.dry_runs import ask_dry_run
from execution.gate.host_keys import ask_host_keys, decide_host_key
from execution.halts.lift import lift_halt
from execution.halts.press import halt
from execution.models import CoreLog, HostLock, HostRun, Playbook, Run, StepResult
from execution.open_log import open_core_log
from execution.playbooks.choose import choose_playbook
from execution.playbooks.publish import SHIPPED, publish_playbook
from execution.rollout.after_halt import close_halted, resume_halted, roll_back_halted
from execution.rollout.resume_run import resume_run
from execution.rollout.retry_failed import retry_failed
from execution.rollout.start_run import start_run
from execution.rollout.steer_run import abort_run, pause_run, skip_host
from governance.choices import Decision, ReviewDecision
from governance.models import AccessRange, ChangeReview, ChangeWindow, ExtraHoliday, Freeze, FreezeException
from governance.policy_documents import StepDocument
from governance.services import accounts as people
from governance.services.absences import end_absence, plan_absence, plan_absence_for
from governance.services.ask_requester import ask_requester
from governance.services.change_policy import decide_policy_change, propose_policy_change, withdraw_policy_change
from governance.services.close_task import close_by_hand, close_not_done
from governance.services.export_reworks import export_reworks
from governance.services.freeze_exceptions import decide_freeze_exception, request_freeze_exception
from governance.services.name_owner import name_owner
from governance.services.plan_again import plan_again
from governance.services.reassign_step import reassign_step
from governance.services.record_manual_work import record_manual_work
from governance.services.release_task import release_task
from governance.services.review_change import review_change
from governance.services.save_access_range import save_access_range
from governance.services.save_hours import save_extra_holiday, save_freeze, save_window
from governance.services.schedule_task import run_later, set_priority
from governance.services.set_authority import set_authority
from governance.services.standing_approvals import revoke_standing_approval
from governance.services.take_over import hand_to, take_over
from governance.services.validate_result import validate_result
from guardia.common.clock import local_day, now
from tests.factories import Tenant, approve, make_user, pending_step, proof_of, stand
from tickets.choices import Priority
from tickets.models import OpsTask

Act = Callable[[], Any]
_NEW_PLAYBOOK = (SHIPPED / "backup.yaml").read_text(encoding="utf-8").replace("version: 1", "version: 2")


class Office(Tenant):
    """A tenant with an administrator and an operator of all institutions, and a second person of each rank."""

    def __init__(self) -> None:
        super().__init__(servers=1)
        self.admin, self.operator = make_user(Role.ADMINISTRATOR), make_user(Role.OPERATOR)
        self.officer, self.pm2 = make_user(Role.SECURITY_OFFICER), make_user(Role.PM, self.institution)

    def at(self, status: str, **fields: Any) -> OpsTask:
        """An approved task in this state."""
        task, _plan = self.approved()
        OpsTask.objects.filter(pk=task.pk).update(status=status, **fields)
        return OpsTask.objects.get(pk=task.pk)

    def by_hand(self) -> OpsTask:
        """A task that the operator has taken over."""
        task = self.at("MAN")
        with transaction.atomic():
            hand_to(task, self.operator, "x")
        return task

    def record(self, task: OpsTask) -> Any:
        return record_manual_work(
            actor=self.operator,
            task_id=task.task_id,
            text="x",
            done_at=now(),
            hostnames=[self.servers[0].hostname],
            command_log="x",
        )


def _decide(o: Office) -> Act:
    task, plan = o.planned()
    return lambda: approve(task, plan, o.owner)


def _validate(o: Office) -> Act:
    task = o.at("VAL")
    return lambda: validate_result(actor=o.pm, task_id=task.task_id, decision=ReviewDecision.ACCEPT)


def _review(o: Office) -> Act:
    task = o.at("REV")
    change = ChangeReview.objects.create(
        task=task, revision=1, submitted_by="a", diff="d", diff_digest="d" * 64, context={}
    )
    return lambda: review_change(
        actor=o.pm, task_id=task.task_id, revision=1, digest=change.diff_digest, decision=ReviewDecision.ACCEPT
    )


def _release(o: Office) -> Act:
    task = o.at("APP", is_held=True)
    return lambda: release_task(actor=o.owner, task_id=task.task_id)


def _close(o: Office) -> Act:
    task = o.by_hand()
    o.record(task)
    return lambda: close_by_hand(actor=o.pm, task_id=task.task_id)


def _record(o: Office) -> Act:
    task = o.by_hand()
    return lambda: o.record(task)


def _resume(o: Office) -> Act:
    task, _plan = o.approved()
    run = start_run(task.pk)
    assert run is not None
    Run.objects.filter(pk=run.pk).update(held_at=now(), held_because="x")
    return lambda: resume_run(actor=o.pm, task_id=task.task_id, reason="x")


def _halted(service: Callable[..., Any], *, is_touched: bool = False) -> Callable[[Office], Act]:
    def ready(o: Office) -> Act:
        task, _plan = o.approved()
        run = start_run(task.pk)
        assert run is not None
        halt(actor="console:test", scope=HaltScope.RUN, run_pk=run.pk, reason="x")
        if is_touched:
            host = HostRun.objects.get(wave__run=run)
            StepResult.objects.create(host_run=host, phase="APPLY", order=2, name="upload", status="OK")
            HostRun.objects.filter(pk=host.pk).update(status="HALTED")
        return lambda: service(actor=o.pm, task_id=task.task_id, reason="x")

    return ready


def _steered(service: Callable[..., Any], *, has_failed: bool = False, **given: Any) -> Callable[[Office], Act]:
    """On a run under way, or on one that went back."""

    def ready(o: Office) -> Act:
        task, _plan = o.approved()
        run = start_run(task.pk)
        assert run is not None
        if has_failed:
            HostRun.objects.filter(wave__run=run).update(status="UNDONE", error_code="x")
            Run.objects.filter(pk=run.pk).update(status="ROLLED_BACK", finished_at=now())
            HostLock.objects.filter(run=run).delete()
            OpsTask.objects.filter(pk=task.pk).update(status="ERR")
        return lambda: service(actor=o.operator, task_id=task.task_id, reason="x", **given)

    return ready


def _open_log(o: Office) -> Act:
    task, _plan = o.approved()
    assert start_run(task.pk) is not None
    host_run = HostRun.objects.get(wave__run__task=task)
    log = CoreLog.objects.create(host_run=host_run, phase="APPLY", path="/l", text="x", sha256="d" * 64)
    return lambda: open_core_log(actor=o.pm, task_id=task.task_id, log_pk=log.pk)


def _skip(o: Office) -> Act:
    return _steered(skip_host, hostname=o.servers[0].hostname)(o)


def _lift(o: Office) -> Act:
    pressed = halt(actor="console:test", scope=HaltScope.GLOBAL, reason="x")
    return lambda: lift_halt(actor=o.admin, pk=pressed.pk, reason="x", proof=proof_of(o.admin))


def _decide_key(o: Office) -> Act:
    (scan,) = ask_host_keys(actor=o.operator, server_pks=[o.servers[0].pk])
    return lambda: decide_host_key(actor=o.operator, scan_pk=scan.pk, is_accepted=False, comparison="x")


def _freeze(o: Office, begins: int = -1) -> Freeze:
    start = now() + timedelta(hours=begins)
    return Freeze.objects.create(
        institution=o.institution, name="f", reason="r", starts_at=start, ends_at=start + timedelta(days=1)
    )


def _ask_exception(o: Office, actor: str) -> Act:
    task, _plan = o.planned()
    freeze = _freeze(o)
    return lambda: request_freeze_exception(
        actor=getattr(o, actor), task_id=task.task_id, freeze_pk=freeze.pk, reason="x"
    )


def _decide_exception(o: Office) -> Act:
    task, _plan = o.planned()
    row = FreezeException.objects.create(freeze=_freeze(o), task=task, reason="x", requested_by=o.pm)
    return lambda: decide_freeze_exception(
        actor=o.security, task_id=task.task_id, exception_pk=row.pk, decision=Decision.APPROVE
    )


def _task_act(service: Callable[..., Any], rank: str, status: str, **given: Any) -> Callable[[Office], Act]:
    def ready(o: Office) -> Act:
        task = o.at(status)
        return lambda: service(actor=getattr(o, rank), task_id=task.task_id, **given)

    return ready


def _ask(o: Office) -> Act:
    step = pending_step(o.planned()[0])
    return lambda: ask_requester(actor=o.owner, step_pk=step.pk, question="x")


def _reassign(o: Office) -> Act:
    step = pending_step(o.planned()[0])
    return lambda: reassign_step(actor=o.owner, step_pk=step.pk, to=o.deputy, reason="x")


def _propose(o: Office) -> Any:
    step = StepDocument(role="OWNER", approvers_needed=1, needs_reauthentication=False, is_automatic=False)
    after: Any = {"name": "n", "category": "", "sub_type": "BACKUP", "risk": None, "tier": None, "steps": [step]}
    return propose_policy_change(actor=o.admin, policy_pk=None, after=after, reason="x")


def _decide_policy(o: Office) -> Act:
    change = _propose(o)
    return lambda: decide_policy_change(actor=o.officer, pk=change.pk, is_accepted=True)


def _withdraw_policy(o: Office) -> Act:
    change = _propose(o)
    return lambda: withdraw_policy_change(actor=o.admin, pk=change.pk)


def _revoke(o: Office) -> Act:
    standing = stand(o)
    return lambda: revoke_standing_approval(actor=o.security, pk=standing.pk)


def _away(o: Office, actor: User) -> Any:
    give = {"starts_at": now(), "ends_at": now() + timedelta(days=1), "reason": "x"}
    if actor == o.owner:
        return plan_absence(actor=actor, **give)  # type: ignore[arg-type]
    return plan_absence_for(actor=actor, user=o.owner, **give)  # type: ignore[arg-type]


def _end_absence(o: Office) -> Act:
    absence = _away(o, o.owner)
    return lambda: end_absence(actor=o.admin, absence_pk=absence.pk, reason="x")


def _enable(o: Office) -> Act:
    people.disable_account(actor=o.admin, user=o.owner, reason="x")
    return lambda: people.enable_account(actor=o.admin, user=o.owner, reason="x")


def _save_window(o: Office) -> Act:
    row = ChangeWindow(institution=o.institution, name="w", weekdays=[0], starts_at=time(1), ends_at=time(2))
    return lambda: save_window(actor=o.operator, window=row)


def _save_freeze(o: Office) -> Act:
    row = Freeze(institution=o.institution, name="f", reason="r", starts_at=now(), ends_at=now() + timedelta(days=1))
    return lambda: save_freeze(actor=o.operator, freeze=row)


def _save_holiday(o: Office) -> Act:
    row = ExtraHoliday(institution=o.institution, day=local_day(), name="h")
    return lambda: save_extra_holiday(actor=o.operator, holiday=row)


def _save_range(o: Office) -> Act:
    row = AccessRange(label="x", cidr="10.0.0.0/9", institution=o.institution)
    return lambda: save_access_range(actor=o.admin, access_range=row)


def _hold(o: Office, **fields: Any) -> int:
    scope = f"institution:{o.institution.code}"
    values = {"scope": scope, "chain": scope, "number": 1, "until": 1, "kind": "altered", "detail": "", **fields}
    return IntegrityHold.objects.create(**values).pk


def _propose_acceptance(o: Office) -> Act:
    hold = _hold(o)
    return lambda: propose_acceptance(actor=o.officer, hold_pk=hold, reason="x")


def _decide_acceptance(o: Office) -> Act:
    hold = _hold(o, status="PROPOSED", proposed_by=o.officer, reason="x")
    return lambda: decide_acceptance(actor=o.admin, hold_pk=hold, accept=False)


def _data_key(o: Office) -> DataKey:
    with transaction.atomic():
        record(action="test.told", actor="guardia", institution=o.institution, task_id="OPS-1", summary="x")
    return DataKey.objects.get(subject="task:OPS-1")


def _propose_erasure(o: Office) -> Act:
    key = _data_key(o)
    return lambda: propose_erasure(actor=o.officer, key_pk=key.pk, reason="x")


def _decide_erasure(o: Office) -> Act:
    key = _data_key(o)
    DataKey.objects.filter(pk=key.pk).update(status="PROPOSED", proposed_by=o.officer, reason="x")
    return lambda: decide_erasure(actor=o.admin, key_pk=key.pk, erase=True)


def _order(o: Office) -> Report:
    return order_report(
        actor=o.officer, kind=ReportKind.ACCESS_REVIEW, format=ReportFormat.JSONL, institution=o.institution,
        since=local_day(), until=local_day(), reason="x",
    )  # fmt: skip


def _made(o: Office) -> int:
    """A review of this month, with at least one entry."""
    report = _order(o)
    make_report(report.pk)
    return report.pk


def _take_report(o: Office) -> Act:
    pk = _made(o)
    return lambda: take_report(actor=o.officer, report_pk=pk, reason="x")[1].close()


def _retry_report(o: Office) -> Act:
    pk = _made(o)
    Report.objects.filter(pk=pk).update(state="FAILED")
    return lambda: retry_report(actor=o.officer, report_pk=pk)


def _explain(o: Office) -> Act:
    pk = _made(o)
    chain = f"institution:{o.institution.code}"
    return lambda: explain_entry(actor=o.officer, report_pk=pk, chain=chain, number=1, text="x")


def _sign_off(o: Office) -> Act:
    pk = _made(o)
    return lambda: sign_off_review(actor=o.security, report_pk=pk, finding="x")


def _save_profile(o: Office) -> Act:
    row = EnvironmentProfile.objects.get(institution=o.institution)
    return lambda: save_profile(actor=o.operator, profile=row)


def _dry_run(o: Office) -> Act:
    task, _plan = o.approved()
    return lambda: ask_dry_run(actor=o.operator, task_id=task.task_id)


#: service → what makes everything ready and returns the call, which is allowed but for the place it comes from
ACTS: dict[str, Callable[[Office], Act]] = {
    "ask_host_keys": lambda o: lambda: ask_host_keys(actor=o.operator, server_pks=[o.servers[0].pk]),
    "ask_requester": _ask,
    "ask_dry_run": _dry_run,
    "look_at_hosts": lambda o: lambda: look_at_hosts(actor=o.operator, servers=o.servers, command="uptime"),
    "choose_playbook": lambda o: (
        lambda: choose_playbook(actor=o.operator, system=o.system, playbook=Playbook.objects.all()[0])
    ),
    "close_by_hand": _close,
    "close_not_done": _task_act(close_not_done, "pm", "ERR", reason="x"),
    "create_account": lambda o: (
        lambda: people.create_account(actor=o.admin, username="n", display_name="n", password="Wk7!mQz2#rTp")
    ),
    "decide_freeze_exception": _decide_exception,
    "decide_acceptance": _decide_acceptance,
    "decide_erasure": _decide_erasure,
    "decide_host_key": _decide_key,
    "decide_policy_change": _decide_policy,
    "decide_step": _decide,
    "disable_account": lambda o: lambda: people.disable_account(actor=o.admin, user=o.owner, reason="x"),
    "enable_account": _enable,
    "end_absence": _end_absence,
    "end_role": lambda o: (
        lambda: people.end_role(actor=o.admin, membership_pk=o.owner.memberships.get().pk, reason="x")
    ),
    "export_chains": lambda o: lambda: export_chains(actor=o.officer, reason="x", out=io.BytesIO()),
    "order_report": lambda o: lambda: _order(o),
    "retry_report": _retry_report,
    "take_report": _take_report,
    "explain_entry": _explain,
    "sign_off_review": _sign_off,
    "export_reworks": lambda o: lambda: export_reworks(actor=o.pm, out=io.BytesIO()),
    "give_standing_approval": lambda o: lambda: stand(o),
    "grant_role": lambda o: (
        lambda: people.grant_role(actor=o.admin, user=o.pm, role=Role.AUDITOR, institution=o.institution)
    ),
    "import_cmdb": lambda o: lambda: import_cmdb(actor=o.operator, data={}),
    "name_owner": lambda o: lambda: name_owner(actor=o.admin, system=o.system, owner=o.deputy),
    "plan_absence_for": lambda o: lambda: _away(o, o.admin),
    "plan_again": _task_act(plan_again, "pm", "ERR", reason="x"),
    "propose_acceptance": _propose_acceptance,
    "propose_erasure": _propose_erasure,
    "propose_policy_change": lambda o: lambda: _propose(o),
    "publish_playbook": lambda o: lambda: publish_playbook(actor=o.operator, source=_NEW_PLAYBOOK),
    "reassign_step": _reassign,
    "record_manual_work": _record,
    "release_task": _release,
    "request_freeze_exception": lambda o: _ask_exception(o, "pm"),
    "close_halted": _halted(close_halted),
    "lift_halt": _lift,
    "resume_halted": _halted(resume_halted),
    "roll_back_halted": _halted(roll_back_halted, is_touched=True),
    "resume_run": _resume,
    "pause_run": _steered(pause_run),
    "abort_run": _steered(abort_run, rollback=RollbackScope.WAVE),
    "skip_host": _skip,
    "open_core_log": _open_log,
    "retry_failed": _steered(retry_failed, has_failed=True),
    "review_change": _review,
    "revoke_standing_approval": _revoke,
    "run_later": _task_act(run_later, "pm", "APP", scheduled_for=None),
    "save_access_range": _save_range,
    "save_extra_holiday": _save_holiday,
    "save_freeze": _save_freeze,
    "save_profile": _save_profile,
    "save_row": lambda o: (
        lambda: save_row(actor=o.operator, row=Site(institution=o.institution, code="S", name="s", tier=3))
    ),
    "save_window": _save_window,
    "set_authority": lambda o: (
        lambda: set_authority(actor=o.admin, membership_pk=o.owner.memberships.get().pk, authority=Authority.VIEWER)
    ),
    "set_priority": _task_act(set_priority, "pm", "APP", priority=Priority(1), reason="x"),
    "store_credential": lambda o: (
        lambda: store_credential(
            actor=o.operator, institution=o.institution, name="n", kind="password", username="u", secret="s"
        )
    ),
    "take_over": _task_act(take_over, "operator", "ERR", reason="x"),
    "unlock_account": lambda o: lambda: people.unlock_account(actor=o.admin, user=o.owner),
    "validate_result": _validate,
    "withdraw_policy_change": _withdraw_policy,
}
#: service → why it may be called from anywhere
FROM_ANYWHERE = {
    **dict.fromkeys(("file_task", "resubmit_task", "add_information", "answer_question", "withdraw_task"), "requester"),
    **dict.fromkeys(("create_token", "revoke_token", "end_own_session", "change_password", "plan_absence"), "oneself"),
    **dict.fromkeys(("begin_enrolment", "confirm_enrolment", "disable_factor", "renew_recovery_codes"), "oneself"),
    **dict.fromkeys(("understand", "apply_understanding", "transition_task", "approve_round"), "a part of others"),
    **dict.fromkeys(("request_approval", "publish_shipped"), "a process or the console"),
    **dict.fromkeys(("mark_lifted", "lift_halts_of_run"), "a part of others"),
    "halt": "stopping must be possible from anywhere; lifting is an act of rank",
    "export_table": "the requester reads what was asked for",
    **dict.fromkeys(("record", "make_checkpoint", "verify", "restore"), "the chain's own, or the console"),
    "mark_read": "oneself",
    "require_bastion": "it asks",
}
