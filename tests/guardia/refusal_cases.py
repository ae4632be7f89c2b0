"""Every refusal of a person, brought about: in `CASES`, by a name, who tries and what."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from accounts.services.tokens import create_token
from audit.choices import ReportFormat, ReportKind
from audit.models import DataKey, IntegrityHold
from audit.services import record
from audit.services.accept_break import decide_acceptance, propose_acceptance
from audit.services.erase_key import decide_erasure, propose_erasure
from audit.services.export import export_chains
from audit.services.make_report import make_report
from audit.services.order_report import order_report
from audit.services.review_report import sign_off_review
from cmdb.services.import_cmdb import import_cmdb
from cmdb.services.save_row import save_row
from cmdb.services.store_credential import store_credential
from execution.choices import HaltScope
from execution.export_table import export_table
from execution.gate.direct import look_at_hosts
from execution.gate.host_keys import ask_host_keys
from execution.halts.press import halt
from execution.models import CoreLog, HostRun, Playbook, ResultTable, StepResult
from execution.open_log import open_core_log
from execution.playbooks.choose import choose_playbook
from execution.playbooks.publish import publish_playbook
from execution.rollout.resume_run import resume_run
from execution.rollout.start_run import start_run
from execution.rollout.steer_run import pause_run
from governance.choices import Decision, ReviewDecision, StepRole
from governance.models import ApprovalStep, FreezeException, SystemOwner
from governance.services.absences import plan_absence_for
from governance.services.accounts import create_account, disable_account, grant_role
from governance.services.ask_requester import answer_question, ask_requester
from governance.services.change_policy import decide_policy_change, propose_policy_change, withdraw_policy_change
from governance.services.close_task import close_by_hand
from governance.services.export_reworks import export_reworks
from governance.services.freeze_exceptions import decide_freeze_exception, request_freeze_exception
from governance.services.name_owner import name_owner
from governance.services.plan_again import plan_again
from governance.services.reassign_step import reassign_step
from governance.services.record_manual_work import record_manual_work
from governance.services.release_task import release_task
from governance.services.set_authority import set_authority
from governance.services.standing_approvals import give_standing_approval, revoke_standing_approval
from governance.services.take_over import take_over
from governance.services.validate_result import validate_result
from governance.services.withdraw_task import withdraw_task
from guardia.common.clock import local_day, now
from tests.factories import Tenant, approve, make_user, pending_step, stand
from tests.governance.hours import freeze
from tests.governance.test_policy_changes import document
from tickets.choices import Channel, SubType
from tickets.models import OpsTask
from tickets.services.add_information import add_information
from tickets.services.file_task import file_task
from tickets.services.resubmit_task import resubmit_task

Act = Callable[[], object]


class Case:
    """One institution in which everything is refused; `file` of each state is made when it is asked for."""

    def __init__(self) -> None:
        self.t = Tenant(servers=1)
        self.elsewhere = Tenant(servers=1)
        self.admin = make_user(Role.ADMINISTRATOR, self.t.institution)
        self.operator = make_user(Role.OPERATOR, self.t.institution)
        self.auditor = make_user(Role.AUDITOR, self.t.institution)
        self.officer, self.second = make_user(Role.SECURITY_OFFICER), make_user(Role.ADMINISTRATOR)
        self.gone, self.nobody = make_user(is_active=False), make_user()

    def review(self, actor: User) -> int:
        """An access review of this month that is ready."""
        report = order_report(
            actor=actor, kind=ReportKind.ACCESS_REVIEW, format=ReportFormat.JSONL, institution=self.t.institution,
            since=local_day(), until=local_day(), reason="감사",
        )  # fmt: skip
        make_report(report.pk)
        return report.pk

    def confirm(self, author: User, actor: User) -> Act:
        pk = self.review(author)
        return lambda: sign_off_review(actor=actor, report_pk=pk, finding="이상 없음")

    def task(self, status: str = "", **fields: Any) -> OpsTask:
        task, _plan = self.t.planned()
        if status or fields:
            OpsTask.objects.filter(pk=task.pk).update(**({"status": status} if status else {}), **fields)
        return OpsTask.objects.get(pk=task.pk)

    def deciding(self, actor: User, **step: Any) -> Act:
        task, plan = self.t.planned()
        ApprovalStep.objects.filter(pk=pending_step(task).pk).update(**step)
        return lambda: approve(task, plan, actor)

    def deciding_twice(self) -> Act:
        task, plan = self.t.planned()
        approve(task, plan, self.t.owner)
        ApprovalStep.objects.filter(pk=pending_step(task).pk).update(approver=self.t.owner)
        return lambda: approve(task, plan, self.t.owner)

    def deciding_too_early(self) -> Act:
        from governance.services.decide_step import decide_step
        from tests.factories import proof_of

        task, plan = self.t.planned()
        later = ApprovalStep.objects.get(round__task=task, status="WAITING")
        return lambda: decide_step(
            actor=self.t.pm,
            step_pk=later.pk,
            decision=Decision.APPROVE,
            digest=plan.digest,
            channel="api",
            proof=proof_of(self.t.pm),
        )

    def a_viewer_decides(self) -> Act:
        act = self.deciding(self.t.owner)
        Membership.objects.filter(user=self.t.owner).update(authority=Authority.VIEWER)
        return act

    def a_former_owner_decides(self) -> Act:
        act = self.deciding(self.t.owner)
        SystemOwner.objects.update(owner=self.t.deputy, deputy=None)
        Membership.objects.filter(user=self.t.owner).update(role=Role.SITE_MANAGER)
        return act

    def exception(self) -> FreezeException:
        frozen = freeze(self.t.institution)
        return request_freeze_exception(
            actor=self.t.site_manager, task_id=self.task().task_id, freeze_pk=frozen.pk, reason="급함"
        )

    def deciding_an_exception(self, actor: User) -> Act:
        row = self.exception()
        given = {"task_id": row.task.task_id, "exception_pk": row.pk, "decision": Decision.APPROVE}
        return lambda: decide_freeze_exception(actor=actor, **given)  # type: ignore[arg-type]

    def asking_for_an_exception(self) -> Act:
        row = self.exception()
        return lambda: request_freeze_exception(
            actor=self.auditor, task_id=row.task.task_id, freeze_pk=row.freeze_id, reason="급함"
        )

    def accepting_own_work(self) -> Act:
        task = self.task("ERR")
        take_over(actor=self.t.pm, task_id=task.task_id, reason="직접")
        self.recording(self.t.pm, task, command_log="ls")()
        return lambda: close_by_hand(actor=self.t.pm, task_id=task.task_id)

    def recording(self, actor: User, task: OpsTask, **more: Any) -> Act:
        hosts = [server.hostname for server in self.t.servers]
        return lambda: record_manual_work(
            actor=actor, task_id=task.task_id, text="함", done_at=now(), hostnames=hosts, **more
        )

    def recording_anothers(self) -> Act:
        task = self.task("ERR")
        take_over(actor=self.t.pm, task_id=task.task_id, reason="직접")
        return self.recording(self.operator, task)

    def filing(self, actor: User, text: str) -> Act:
        return lambda: file_task(actor=actor, text=text, channel=Channel.API)

    def hold(self, **fields: Any) -> int:
        scope = f"institution:{self.t.institution.code}"
        values = {"scope": scope, "chain": scope, "number": 1, "until": 1, "kind": "altered", "detail": "", **fields}
        return IntegrityHold.objects.create(**values).pk

    def data_key(self, **fields: Any) -> int:
        with transaction.atomic():
            record(action="x", actor="guardia", institution=self.t.institution, task_id="OPS-1", summary="!")
        key = DataKey.objects.get(subject="task:OPS-1", chain__key=f"institution:{self.t.institution.code}")
        DataKey.objects.filter(pk=key.pk).update(**fields)
        return key.pk

    def rows_of_a_query(self, actor: User) -> Act:
        task, _plan = self.t.approved()
        run = start_run(task.pk)
        host_run = HostRun.objects.get(wave__run=run)
        step = StepResult.objects.create(host_run=host_run, phase="APPLY", order=1, name="x")
        table = ResultTable.objects.create(
            step=step, columns=["a"], rows=[["1"]], is_complete=True, is_masked=True, digest="d" * 64
        )
        return lambda: export_table(actor=actor, task_id=task.task_id, table_pk=table.pk)

    def a_core_log(self, actor: User) -> Act:
        task, _plan = self.t.approved()
        start_run(task.pk)
        host_run = HostRun.objects.get(wave__run__task=task)
        log = CoreLog.objects.create(host_run=host_run, phase="APPLY", path="/l", text="x", sha256="d" * 64)
        return lambda: open_core_log(actor=actor, task_id=task.task_id, log_pk=log.pk)

    def proposal(self) -> int:
        return propose_policy_change(actor=self.officer, policy_pk=None, after=document(), reason="변경").pk

    def giving(self, actor: User) -> Act:
        return lambda: give_standing_approval(
            actor=actor,
            system_pk=self.t.system.pk,
            sub_type=SubType.SERVICE_RESTART,
            role=StepRole.OWNER,
            valid_until=now() + timedelta(days=1),
            uses_allowed=1,
            period_days=1,
            reason="정기",
        )

    def judging(self, actor: User) -> Act:
        task = self.task("VAL")
        return lambda: validate_result(actor=actor, task_id=task.task_id, decision=ReviewDecision.ACCEPT)

    def bringing_the_file(self) -> Act:
        task, file = self.task("VAL"), SimpleUploadedFile("app.war", b"x")
        return lambda: validate_result(
            actor=self.t.pm, task_id=task.task_id, decision=ReviewDecision.REWORK, comment="!", artefact=file
        )

    def own_run(self) -> Act:
        task = self.task(requester=self.t.pm)
        return lambda: resume_run(actor=self.t.pm, task_id=task.task_id, reason="계속")

    def a_superuser(self) -> Act:
        root = make_user(is_superuser=True)
        make_user(is_superuser=True)
        Membership.objects.create(user=root, role=Role.PM, institution=self.t.institution)
        return lambda: disable_account(actor=self.admin, user=root, reason="실험")


def away(actor: User, user: User, deputy: User | None = None) -> Act:
    return lambda: plan_absence_for(
        actor=actor, user=user, deputy=deputy, starts_at=now(), ends_at=now() + timedelta(days=1), reason="사고"
    )


CASES: dict[str, Callable[[Case], tuple[User, Act]]] = {
    "own request": lambda c: (c.t.site_manager, c.deciding(c.t.site_manager)),
    "not asked": lambda c: (c.t.pm, c.deciding(c.t.pm)),
    "viewer": lambda c: (c.t.owner, c.a_viewer_decides()),
    "second step": lambda c: (c.t.owner, c.deciding_twice()),
    "no longer owner": lambda c: (c.t.owner, c.a_former_owner_decides()),
    "too early": lambda c: (c.t.pm, c.deciding_too_early()),
    "asks for another": lambda c: (
        c.t.pm,
        lambda: ask_requester(actor=c.t.pm, step_pk=pending_step(c.task()).pk, question="?"),
    ),
    "hands to nobody": lambda c: (
        c.t.owner,
        lambda: reassign_step(actor=c.t.owner, step_pk=pending_step(c.task()).pk, to=c.t.site_manager, reason="!"),
    ),
    "answers for another": lambda c: (
        c.t.pm,
        lambda: answer_question(actor=c.t.pm, task_id=c.task().task_id, answer="!"),
    ),
    "withdraws another's": lambda c: (c.t.pm, lambda: withdraw_task(actor=c.t.pm, task_id=c.task().task_id)),
    "files another's again": lambda c: (c.t.pm, lambda: resubmit_task(actor=c.t.pm, task_id=c.task("REJ").task_id)),
    "adds to another's": lambda c: (
        c.t.pm,
        lambda: add_information(actor=c.t.pm, task_id=c.task("INF").task_id, text="더"),
    ),
    "files as auditor": lambda c: (c.auditor, lambda: c.t.file(actor=c.auditor)),
    "files for strangers": lambda c: (
        c.t.site_manager,
        c.filing(c.t.site_manager, f"{Tenant(servers=1).system.name} 점검"),
    ),
    "files from nowhere": lambda c: (c.nobody, c.filing(c.nobody, "점검해 주세요")),
    "files for an institution": lambda c: (
        c.t.site_manager,
        c.filing(c.t.site_manager, f"{c.elsewhere.institution.name} 서버 점검해 주세요"),
    ),
    "asks for host keys": lambda c: (c.t.pm, lambda: ask_host_keys(actor=c.t.pm, server_pks=[c.t.servers[0].pk])),
    "chooses a playbook": lambda c: (
        c.t.pm,
        lambda: choose_playbook(actor=c.t.pm, system=c.t.system, playbook=Playbook.objects.all()[0]),
    ),
    "looks at hosts": lambda c: (
        c.t.pm,
        lambda: look_at_hosts(actor=c.t.pm, servers=c.t.servers, command="uptime"),
    ),
    "imports": lambda c: (c.operator, lambda: import_cmdb(actor=c.operator, data={})),
    "judges own": lambda c: (c.t.site_manager, c.judging(c.t.site_manager)),
    "brings a file as the only PM": lambda c: (c.t.pm, c.bringing_the_file()),
    "judges as lead": lambda c: (c.t.owner, c.judging(c.t.owner)),
    "plans again": lambda c: (
        c.t.owner,
        lambda: plan_again(actor=c.t.owner, task_id=c.task("ERR").task_id, reason="다시"),
    ),
    "takes over": lambda c: (c.t.owner, lambda: take_over(actor=c.t.owner, task_id=c.task("ERR").task_id, reason="!")),
    "accepts own work": lambda c: (c.t.pm, c.accepting_own_work()),
    "records unasked": lambda c: (c.t.pm, c.recording(c.t.pm, c.task("MAN"))),
    "records another's": lambda c: (c.operator, c.recording_anothers()),
    "releases": lambda c: (c.operator, lambda: release_task(actor=c.operator, task_id=c.task("APP").task_id)),
    "resumes own run": lambda c: (c.t.pm, c.own_run()),
    "asks for an exception": lambda c: (c.auditor, c.asking_for_an_exception()),
    "grants as PM": lambda c: (c.t.pm, c.deciding_an_exception(c.t.pm)),
    "grants own": lambda c: (c.t.site_manager, c.deciding_an_exception(c.t.site_manager)),
    "proposes a policy": lambda c: (
        c.t.security,
        lambda: propose_policy_change(actor=c.t.security, policy_pk=None, after=document(), reason="!"),
    ),
    "accepts own policy": lambda c: (
        c.officer,
        lambda: decide_policy_change(actor=c.officer, pk=c.proposal(), is_accepted=True),
    ),
    "takes back another's": lambda c: (c.second, lambda: withdraw_policy_change(actor=c.second, pk=c.proposal())),
    "gives beforehand": lambda c: (c.t.pm, c.giving(c.t.pm)),
    "revokes": lambda c: (c.t.pm, lambda: revoke_standing_approval(actor=c.t.pm, pk=stand(c.t).pk)),
    "sends away": lambda c: (c.t.pm, away(c.t.pm, c.t.owner)),
    "deputises themselves": lambda c: (c.admin, away(c.admin, c.t.owner, c.admin)),
    "names themselves": lambda c: (
        c.admin,
        lambda: name_owner(actor=c.admin, system=c.t.system, owner=c.t.owner, supervisor=c.admin),
    ),
    "raises themselves": lambda c: (
        c.admin,
        lambda: grant_role(actor=c.admin, user=c.admin, role=Role.PM, institution=c.t.institution),
    ),
    "changes own authority": lambda c: (
        c.admin,
        lambda: set_authority(actor=c.admin, membership_pk=c.admin.memberships.get().pk, authority=Authority.VIEWER),
    ),
    "makes accounts": lambda c: (
        c.t.pm,
        lambda: create_account(actor=c.t.pm, username="n", display_name="n", password="Long-enough-1!"),
    ),
    "disables a superuser": lambda c: (c.admin, c.a_superuser()),
    "exports": lambda c: (c.t.owner, lambda: export_reworks(actor=c.t.owner, out=BytesIO())),
    "exports the chain": lambda c: (
        c.t.owner,
        lambda: export_chains(actor=c.t.owner, reason="감사", out=BytesIO()),
    ),
    "orders a report": lambda c: (c.t.owner, lambda: c.review(c.t.owner)),
    "confirms own review": lambda c: (c.t.security, c.confirm(c.t.security, c.t.security)),
    "confirms a review": lambda c: (c.auditor, c.confirm(c.officer, c.auditor)),
    "opens a core log": lambda c: (c.auditor, c.a_core_log(c.auditor)),
    "exports rows": lambda c: (c.auditor, c.rows_of_a_query(c.auditor)),
    "proposes to go on": lambda c: (c.t.pm, lambda: propose_acceptance(actor=c.t.pm, hold_pk=c.hold(), reason="!")),
    "proposes to erase": lambda c: (
        c.t.pm,
        lambda: propose_erasure(actor=c.t.pm, key_pk=c.data_key(), reason="!"),
    ),
    "decides own wish to erase": lambda c: (
        c.t.security,
        lambda: decide_erasure(
            actor=c.t.security, key_pk=c.data_key(status="PROPOSED", proposed_by=c.t.security), erase=True
        ),
    ),
    "decides to go on": lambda c: (
        c.t.pm,
        lambda: decide_acceptance(actor=c.t.pm, hold_pk=c.hold(status="PROPOSED"), accept=True),
    ),
    "decides own wish to go on": lambda c: (
        c.t.security,
        lambda: decide_acceptance(
            actor=c.t.security, hold_pk=c.hold(status="PROPOSED", proposed_by=c.t.security, reason="!"), accept=True
        ),
    ),
    "halts": lambda c: (
        c.t.owner,
        lambda: halt(actor=c.t.owner, scope=HaltScope.INSTITUTION, institution=c.t.institution.code, reason="!"),
    ),
    "steers a run": lambda c: (
        c.t.owner,
        lambda: pause_run(actor=c.t.owner, task_id=c.task("EXE").task_id, reason="!"),
    ),
    "publishes a playbook": lambda c: (c.t.pm, lambda: publish_playbook(actor=c.t.pm, source="")),
    "changes a server": lambda c: (c.t.pm, lambda: save_row(actor=c.t.pm, row=c.t.servers[0])),
    "stores a log-in": lambda c: (
        c.t.pm,
        lambda: store_credential(
            actor=c.t.pm, institution=c.t.institution, name="n", kind="password", username="u", secret="s"
        ),
    ),
    "makes a token": lambda c: (c.gone, lambda: create_token(actor=c.gone, name="n", scopes=["read"], days=1)),
}
