"""Two tenants who must not see each other. Everything of the second carries the word ZEBRA or 얼룩말."""

from datetime import time, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.services.sessions import begin_session
from accounts.services.tokens import create_token
from audit.choices import ReportFormat, ReportKind
from audit.models import Entry, Explanation, IntegrityHold, Report, Verification
from audit.services.make_checkpoint import make_checkpoint
from audit.services.make_report import make_report
from audit.services.order_report import order_report
from cmdb.models import Balancer, Credential, Database, EnvironmentProfile, Gateway, Server, Site, System
from execution.live.events import append_event
from execution.models import (
    CoreLog,
    DryLook,
    DryRun,
    GatewayOrder,
    Halt,
    Healing,
    HostKeyScan,
    HostRun,
    PlaybookChoice,
    ResultPackage,
    ResultTable,
    Run,
    RunPart,
    ServerFacts,
    StepResult,
)
from execution.rollout.start_run import start_run
from governance.models import (
    AccessRange,
    ApprovalPolicy,
    ChangeReview,
    ChangeWindow,
    Evidence,
    ExtraHoliday,
    Freeze,
    FreezeException,
    ManualRecord,
    ResultReview,
    Takeover,
)
from governance.services.absences import plan_absence
from governance.services.ask_requester import answer_question, ask_requester
from governance.services.change_policy import propose_policy_change
from guardia.common.clock import local_day, now
from tests.factories import Tenant, make_user, pending_step, stand
from tickets.models import OpsTask
from tickets.services.store_artefact import store_artefact

MARKS = ("zebra", "얼룩말")


class Zebra(Tenant):
    """A tenant with a run behind it, one task that waits for approval, and one that asks for information."""

    def __init__(self) -> None:
        super().__init__(servers=1)
        self._mark()
        self.task, self.plan = self.approved()
        run = start_run(self.task.pk)
        assert run is not None
        self.run: Run = run
        self._fill_run()
        self._fill_gateway()
        self.waiting, self.waiting_plan = self.planned()
        self.standing = stand(self)
        self.policy_change = propose_policy_change(
            actor=make_user(Role.SECURITY_OFFICER, username="officer-of-all"),
            policy_pk=ApprovalPolicy.objects.all()[0].pk,
            after=None,
            reason="얼룩말",
        )
        self.task_entry = Entry.objects.filter(task_id=self.task.task_id).earliest("pk")
        self.checkpoint = make_checkpoint(reason="first")
        self.verification = Verification.objects.create(
            mode="FULL", actor="zebra", started_at=now(), finished_at=now(), entries=1, checkpoints=1, is_intact=True
        )
        self.hold = IntegrityHold.objects.create(
            scope="institution:ZEBRA-CODE", chain="institution:ZEBRA-CODE~9", number=1, until=1, kind="altered",
            detail="zebra", status="RESTORED",
        )  # fmt: skip
        self._fill_report()
        self.session = begin_session(user=self.pm, source_ip="127.0.0.9", browser="zebra browser")
        self.token, self.token_text = create_token(actor=self.pm, name="zebra token", scopes=["read"], days=9)
        self.absence = plan_absence(
            actor=self.security, starts_at=now() + timedelta(1), ends_at=now() + timedelta(2), reason="얼룩말 휴가"
        )
        question = ask_requester(actor=self.owner, step_pk=pending_step(self.waiting).pk, question="얼룩말은?")
        answer_question(actor=self.site_manager, task_id=self.waiting.task_id, answer="얼룩말")
        self.question = question
        self.asking = self.file(text=f"{self.system.name}")
        self._fill_hours()
        self._fill_keys()
        self.task = OpsTask.objects.get(pk=self.task.pk)
        self.halt = Halt.objects.create(
            scope="INSTITUTION", institution=self.institution, reason="얼룩말", halted_as="zebra", recorded_at=now()
        )

    def _mark(self) -> None:
        pk = self.institution.pk
        Institution.objects.filter(pk=pk).update(code="ZEBRA-CODE", name="얼룩말부", aliases=["얼룩말청"])
        System.objects.filter(institution=pk).update(code="ZEBRA-SYS", name="얼룩말관리시스템", aliases=["ZEBRA"])
        Site.objects.filter(institution=pk).update(code="ZEBRA-SITE", name="얼룩말센터")
        EnvironmentProfile.objects.filter(institution=pk).update(name="zebra-profile")
        Credential.objects.filter(institution=pk).update(name="zebra-login")
        Server.objects.filter(system__institution=pk).update(hostname="zebra-host", home_dir="/zebra")
        for person in User.objects.filter(memberships__institution=pk):
            person.username, person.display_name = f"zebra-{person.pk}", f"얼룩말 {person.pk}"
            person.save()
        for name in ("institution", "system", "site_manager", "owner", "deputy", "pm", "security"):
            getattr(self, name).refresh_from_db()
        self.database = Database.objects.create(
            server=Server.objects.get(system__institution=pk), name="zebra-db", dialect="postgresql", database="zebra"
        )
        self.balancer = Balancer.objects.create(
            profile=EnvironmentProfile.objects.get(institution=pk), name="zebra-l7", kind="haproxy", is_active=False,
            control="/zebra.sock", backend="zebra", member="{hostname}",
        )  # fmt: skip
        self.servers = list(Server.objects.filter(system__institution=pk))

    def _fill_hours(self) -> None:
        """Rows that change nothing: a window of all hours, a freeze that is over for this task, another's network."""
        self.window = ChangeWindow.objects.create(
            name="zebra-window",
            institution=self.institution,
            weekdays=list(range(7)),
            starts_at=time(0),
            ends_at=time(0),
            on_holidays="ALLOWED",
        )
        self.holiday = ExtraHoliday.objects.create(institution=self.institution, day=local_day(), name="얼룩말의 날")
        self.freeze = Freeze.objects.create(
            name="얼룩말 동결",
            institution=self.institution,
            starts_at=now() + timedelta(hours=1),
            ends_at=now() + timedelta(days=2),
            reason="zebra",
        )
        self.exception = FreezeException.objects.create(
            freeze=self.freeze, task=self.waiting, reason="얼룩말", requested_by=self.site_manager
        )
        self.range = AccessRange.objects.create(label="zebra-bastion", institution=self.institution, cidr="127.0.0.0/8")

    def _fill_keys(self) -> None:
        scan = HostKeyScan.objects.create(server=self.servers[0], asked_by=self.pm)
        scan.show("ssh-ed25519 AAAAzebra", "SHA256:zebra")
        scan.save()
        self.key_scan = scan
        PlaybookChoice.objects.create(system=self.system, sub_type="BACKUP", playbook=self.plan.playbook)
        Healing.objects.create(check_run=self.run, server=self.servers[0], reason="얼룩말")
        ServerFacts.objects.create(server=self.servers[0], named={"os": "zebra"})
        said = {"step": "zebra step", "verdict": "changes", "now": "얼룩말", "then": "zebra", "lines": []}
        for plan in (self.plan, self.waiting_plan):
            dry_run = DryRun.objects.create(plan=plan, asked_by=self.pm, finished_at=now())
            DryLook.objects.create(dry_run=dry_run, server=self.servers[0], findings=[said], finished_at=now())

    def _fill_run(self) -> None:
        host_run = HostRun.objects.get(wave__run=self.run)
        with transaction.atomic():
            append_event(self.run, "step_done", host_run, host="zebra-host", output="얼룩말")
        step = StepResult.objects.create(host_run=host_run, phase="APPLY", order=1, name="zebra step", output="얼룩말")
        self.table = ResultTable.objects.create(
            step=step, columns=["얼룩말"], rows=[["zebra"]], is_complete=True, is_masked=True, digest="d" * 64
        )
        self.core_log = CoreLog.objects.create(
            host_run=host_run, phase="APPLY", path="/zebra/logs/catalina.out", text="얼룩말", sha256="d" * 64
        )
        ResultPackage.objects.create(run=self.run, document={"host": "zebra-host"}, digest="d" * 64)
        self._fill_by_hand()
        ResultReview.objects.create(task=self.task, reviewer=self.pm, decision="rework", comment="얼룩말 다시")
        ResultReview.objects.create(task=self.task, reviewer=self.pm, decision="accept", comment="얼룩말")

    def _fill_gateway(self) -> None:
        self.gateway = Gateway.objects.create(
            institution=self.institution, code="zebra", name="얼룩말 게이트웨이", alarm="zebra"
        )
        host_run = HostRun.objects.get(wave__run=self.run)
        GatewayOrder.objects.create(gateway=self.gateway, host_run=host_run, phase="APPLY", settled_at=now())
        RunPart.objects.create(run=self.run, signature="zebra")

    def _fill_report(self) -> None:
        """A review of this month, ordered by one person of the tenant and explained."""
        auditor = make_user(Role.AUDITOR, self.institution, username="zebra-auditor", display_name="얼룩말 감사")
        report = order_report(
            actor=auditor, kind=ReportKind.ACCESS_REVIEW, format=ReportFormat.JSONL, institution=self.institution,
            since=local_day(), until=local_day(), reason="얼룩말 점검",
        )  # fmt: skip
        make_report(report.pk)
        self.report = Report.objects.get(pk=report.pk)
        assert self.report.state == "READY", self.report.error
        Explanation.objects.create(report=report, entry=self.task_entry, text="얼룩말", written_by=auditor)

    def _fill_by_hand(self) -> None:
        diff = "--- a/zebra\n+++ b/zebra\n@@ -1 +1 @@\n-얼룩말\n+zebra\n"
        self.change = ChangeReview.objects.create(
            task=self.task, revision=1, submitted_by="agent", diff=diff, diff_digest="d" * 64, context={"a": "zebra"}
        )
        Takeover.objects.create(task=self.task, person=self.pm, reason="얼룩말", came_from="ERR")
        row = ManualRecord.objects.create(
            task=self.task, author=self.pm, done_at=now(), text="얼룩말", command_log="zebra"
        )
        row.servers.set(self.servers)
        stored = store_artefact(SimpleUploadedFile("zebra.txt", b"zebra"))
        self.evidence = Evidence.objects.create(record=row, name=stored.name, size=5, sha256=stored.sha256)


class Neighbour(Tenant):
    """The first tenant, with one person of every role, and some rows of their own."""

    def __init__(self) -> None:
        super().__init__(servers=1)
        self.people = {
            Role.SITE_MANAGER: self.site_manager,
            Role.TEAM_LEAD: self.owner,
            Role.PM: self.pm,
            Role.SECURITY_OFFICER: self.security,
            **{role: make_user(role, self.institution) for role in (Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)},
        }
        self.task, self.plan = self.planned()


def assert_unseen(content: bytes, where: object) -> None:
    """No word of the second tenant is in this answer."""
    text = content.decode("utf-8", "replace").lower()
    for mark in MARKS:
        position = text.find(mark)
        assert position < 0, (where, text[max(0, position - 200) : position + 50])
