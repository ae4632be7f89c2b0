"""Two tenants who must not see each other. Everything of the second carries the word ZEBRA or 얼룩말."""

from datetime import timedelta

from django.db import transaction

from accounts.choices import Role
from accounts.models import Institution, User
from cmdb.models import Credential, EnvironmentProfile, Server, Site, System
from execution.live.events import append_event
from execution.models import HostRun, ResultPackage, Run, StepResult
from execution.rollout.start_run import start_run
from governance.models import ResultReview
from governance.services.absences import plan_absence
from governance.services.ask_requester import answer_question, ask_requester
from guardia.common.clock import now
from tests.factories import Tenant, make_user, pending_step
from tickets.models import OpsTask

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
        self.waiting, self.waiting_plan = self.planned()
        self.absence = plan_absence(
            actor=self.security, starts_at=now() + timedelta(1), ends_at=now() + timedelta(2), reason="얼룩말 휴가"
        )
        question = ask_requester(actor=self.owner, step_pk=pending_step(self.waiting).pk, question="얼룩말은?")
        answer_question(actor=self.site_manager, task_id=self.waiting.task_id, answer="얼룩말")
        self.question = question
        self.asking = self.file(text=f"{self.system.name}")
        self.task = OpsTask.objects.get(pk=self.task.pk)

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
        self.servers = list(Server.objects.filter(system__institution=pk))

    def _fill_run(self) -> None:
        host_run = HostRun.objects.get(wave__run=self.run)
        with transaction.atomic():
            append_event(self.run, "step_done", host_run, host="zebra-host", output="얼룩말")
        StepResult.objects.create(host_run=host_run, phase="APPLY", order=1, name="zebra step", output="얼룩말")
        ResultPackage.objects.create(run=self.run, document={"host": "zebra-host"}, digest="d" * 64)
        ResultReview.objects.create(task=self.task, reviewer=self.pm, is_accepted=True, comment="얼룩말")


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
