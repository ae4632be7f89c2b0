"""Rows for tests, each function with what it needs and nothing more; names are unique per call."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F

from accounts.choices import ProofMethod, Role
from accounts.identity import IdentityProof
from accounts.models import Institution, Membership, User
from cmdb.choices import OnDrift, Tier
from cmdb.models import Credential, EnvironmentProfile, Server, Site, System
from cmdb.vault import seal
from execution.models import Plan
from execution.plan.prepare import prepare_plan
from execution.playbooks.publish import publish_shipped
from governance.choices import Decision, StepRole
from governance.models import ApprovalRound, ApprovalStep, StandingApproval, SystemOwner
from governance.services.decide_step import decide_step
from governance.services.default_policies import install_default_policies
from governance.services.standing_approvals import give_standing_approval
from guardia.common.clock import now
from tickets.choices import Channel, SubType
from tickets.models import OpsTask
from tickets.services.file_task import file_task

_numbers = count(1)
PASSWORD = "correct horse battery"


def make_institution(code: str = "", name: str = "") -> Institution:
    number = next(_numbers)
    return Institution.objects.create(code=code or f"INST{number}", name=name or f"시험기관{number}")


def make_user(role: Role | None = None, institution: Institution | None = None, **fields: Any) -> User:
    """An active user; with a role, a member of the institution (of all, where it is None)."""
    fields.setdefault("username", f"user{next(_numbers)}")
    user = User.objects.create_user(password=PASSWORD, **fields)
    if role is not None:
        Membership.objects.create(user=user, role=role, institution=institution)
        if role != Role.SITE_MANAGER:
            user.is_staff = True
            user.save()
    return user


def make_system(institution: Institution, name: str = "", aliases: list[str] | None = None) -> System:
    number = next(_numbers)
    return System.objects.create(
        institution=institution, code=f"SYS{number}", name=name or f"업무{number}시스템", aliases=aliases or []
    )


def make_credential(institution: Institution, secret: str = "open sesame", **fields: Any) -> Credential:
    fields = {"kind": "password", "username": "was", "name": f"login{next(_numbers)}", **fields}
    credential = Credential(institution=institution, **fields)
    seal(credential, secret)
    credential.save()
    return credential


def make_server(system: System, tier: Tier = Tier.STANDARD, **fields: Any) -> Server:
    number = next(_numbers)
    institution = system.institution
    site = fields.pop("site", None) or Site.objects.create(
        institution=institution, code=f"SITE{number}", name=f"센터{number}", tier=tier
    )
    profile = (
        fields.pop("profile", None)
        or EnvironmentProfile.objects.get_or_create(
            institution=institution, name="tomcat", defaults={"on_drift": OnDrift.IGNORE}
        )[0]  # `tests/execution/test_drift.py` looks
    )
    credential = fields.pop("credential", None) or make_credential(institution)
    values = {
        "hostname": f"host-{number}",
        "role": "was",
        "number": number % 30000,
        "address": "127.0.0.1",
        "home_dir": "/srv/app",
        "host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"],
        **fields,
    }
    return Server.objects.create(system=system, site=site, profile=profile, credential=credential, **values)


class Tenant:
    """An institution with one system, its servers and one person of each kind; `file` files a deployment there."""

    def __init__(self, servers: int = 2, **server_fields: Any) -> None:
        self.institution = make_institution()
        self.system = make_system(self.institution, name=f"민원접수{next(_numbers)}시스템")
        self.servers = [make_server(self.system, **server_fields) for _ in range(servers)]
        self.site_manager = make_user(Role.SITE_MANAGER, self.institution)
        self.owner = make_user(Role.TEAM_LEAD, self.institution)
        self.deputy = make_user(Role.TEAM_LEAD, self.institution)
        self.supervisor = make_user(Role.TEAM_LEAD, self.institution)
        self.pm = make_user(Role.PM, self.institution)
        self.security = make_user(Role.SECURITY_OFFICER, self.institution)
        SystemOwner.objects.create(system=self.system, owner=self.owner, deputy=self.deputy, supervisor=self.supervisor)
        install_default_policies(actor="test")
        publish_shipped(actor="test")

    def file(self, actor: User | None = None, text: str = "", content: bytes = b"artefact") -> OpsTask:
        """A rolling deployment to all servers, filed and parsed."""
        return file_task(
            actor=actor or self.site_manager,
            text=text or f"{self.system.name} WAS 전체에 2.1.0 배포해 주세요",
            channel=Channel.API,
            artefact=SimpleUploadedFile("app.war", content),
            hostnames=[server.hostname for server in self.servers],
        )

    def planned(self, **options: Any) -> tuple[OpsTask, Plan]:
        """A task that waits for its first approval, and its plan."""
        task = self.file(**options)
        plan = prepare_plan(task.pk)
        assert plan is not None, OpsTask.objects.get(pk=task.pk).reason
        return OpsTask.objects.get(pk=task.pk), plan

    def approved(self, **options: Any) -> tuple[OpsTask, Plan]:
        """A task approved by the owner and the PM."""
        task, plan = self.planned(**options)
        for person in (self.owner, self.pm):
            approve(task, plan, person)
        return OpsTask.objects.get(pk=task.pk), plan


def stand(tenant: Tenant, giver: User | None = None, **extent: Any) -> StandingApproval:
    """A standing pre-approval of service restarts on the tenant's system, by its owner."""
    values: dict[str, Any] = {
        "sub_type": SubType.SERVICE_RESTART,
        "role": StepRole.OWNER,
        "valid_until": now() + timedelta(days=30),
        "uses_allowed": 2,
        "period_days": 7,
        "reason": "얼룩말 정기 점검",
        **extent,
    }
    return give_standing_approval(actor=giver or tenant.owner, system_pk=tenant.system.pk, **values)


def due_steps(tenant: Tenant, count: int) -> list[ApprovalStep]:
    """Tasks of a tenant, each with a step whose owner has let the time pass; rows alone, without plans."""
    tasks = OpsTask.objects.bulk_create(
        OpsTask(
            task_id=f"OPS-20200101-{next(_numbers):05}",
            institution=tenant.institution,
            system=tenant.system,
            requester=tenant.site_manager,
            channel=Channel.API,
            text="재기동해 주세요",
            status="PEN",
        )
        for _number in range(count)
    )
    rounds = ApprovalRound.objects.bulk_create(
        ApprovalRound(task=task, number=1, policy="p", plan_digest="d" * 64) for task in tasks
    )
    return ApprovalStep.objects.bulk_create(
        ApprovalStep(
            round=round_,
            order=1,
            role="OWNER",
            requester=tenant.site_manager,
            original_owner=tenant.owner,
            approver=tenant.owner,
            status="PENDING",
            due_at=now(),
        )
        for round_ in rounds
    )


def pending_step(task: OpsTask) -> ApprovalStep:
    return ApprovalStep.objects.get(round__task=task, status="PENDING")


def let_pass(task: OpsTask, minutes: int = 11) -> None:
    """As if the pending step had been asked `minutes` earlier."""
    ApprovalStep.objects.filter(round__task=task, status="PENDING").update(
        due_at=F("due_at") - timedelta(minutes=minutes)
    )


def approve(
    task: OpsTask, plan: Plan, actor: User, decision: Decision = Decision.APPROVE, comment: str = ""
) -> ApprovalStep:
    return decide_step(
        actor=actor,
        step_pk=pending_step(task).pk,
        decision=decision,
        digest=plan.digest,
        channel=Channel.API,
        comment=comment,
        proof=proof_of(actor),
    )


def proof_of(user: User) -> IdentityProof:
    """That `user` showed a moment ago who they are."""
    return IdentityProof(user.pk, ProofMethod.PASSWORD, now())
