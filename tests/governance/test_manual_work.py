"""MAN and ERR are no dead ends: take over, record with evidence, be accepted by another; or plan again, or close."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from audit.verifying.all_chains import verify_all
from execution.plan.prepare import prepare_plan
from governance.models import ApprovalRound, Evidence, ManualRecord, Takeover
from governance.services.close_task import close_by_hand, close_not_done
from governance.services.plan_again import plan_again
from governance.services.record_manual_work import record_manual_work
from governance.services.take_over import take_over
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from tests.audit.words import body_of_entry
from tests.factories import Tenant, approve, make_server, make_user
from tests.snapshot import nothing_changes
from tickets.locks import lock_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task

pytestmark = pytest.mark.django_db
WAYS = {"EXE": ["start"], "MAN": ["start", "hand_over"], "ERR": ["start", "fail"], "VAL": ["start", "finish"]}


class Scene(Tenant):
    """A tenant with an operator and a second PM, and a task in the state named, after its approvals."""

    def __init__(self, status: str = "MAN") -> None:
        super().__init__()
        self.operator, self.pm2 = (make_user(role, self.institution) for role in (Role.OPERATOR, Role.PM))
        self.task, self.plan = self.approved()
        for way in WAYS[status]:
            reason = "서버가 응답하지 않음" if way in ("hand_over", "fail") else ""
            with transaction.atomic():
                transition_task(task=lock_task(self.task.pk), by=way, actor="test", reason=reason)

    @property
    def now(self) -> OpsTask:
        return OpsTask.objects.get(pk=self.task.pk)

    def take(self, actor: User) -> Takeover:
        return take_over(actor=actor, task_id=self.task.task_id, reason="직접 처리하겠습니다")

    def record(self, actor: User, **more: Any) -> ManualRecord:
        given: dict[str, Any] = {
            "text": "프로세스를 정리하고 다시 올렸습니다",
            "done_at": now(),
            "hostnames": [self.servers[0].hostname],
            "command_log": "$ systemctl restart tomcat",
            **more,
        }
        return record_manual_work(actor=actor, task_id=self.task.task_id, **given)

    def close(self, actor: User) -> OpsTask:
        return close_by_hand(actor=actor, task_id=self.task.task_id, comment="확인")


def code_of(service: Any, **given: Any) -> str:
    """The refusal's code, after proving that nothing changed."""
    with nothing_changes(), pytest.raises(GuardiaError) as refused:
        service(**given)
    return refused.value.code


def test_taken_over_recorded_and_accepted_by_another() -> None:
    scene = Scene()
    scene.take(scene.operator)
    row = scene.record(scene.operator, command_log="", files=[SimpleUploadedFile("../../결과.txt", b"ok")])
    assert scene.pm2.notifications.filter(kind="work_recorded").count() == 1
    closed = scene.close(scene.pm2)
    assert (closed.status, closed.closed_at is not None) == ("COM", True)
    piece = Evidence.objects.get(record=row)
    assert (piece.name, piece.path.read_bytes()) == ("결과.txt", b"ok")
    assert not scene.now.artefacts.filter(sha256=piece.sha256).exists(), "no plan ever deploys evidence"
    kinds = list(scene.site_manager.notifications.order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["taken_over", "closed_by_hand"]
    entries = Entry.objects.filter(task_id=closed.task_id).order_by("pk")
    assert [e.action for e in entries][-3:] == ["manual.taken_over", "manual.recorded", "task.closed_by_hand"]
    facts = body_of_entry(entries.get(action="manual.recorded"))["facts"]
    assert (facts["files"], facts["servers"]) == ({piece.sha256: "결과.txt"}, [scene.servers[0].hostname])
    assert all(report.is_intact for report in verify_all())


@pytest.mark.parametrize("status", ["MAN", "ERR", "VAL"])
def test_a_pm_or_an_operator_takes_over_from(status: str) -> None:
    scene = Scene(status)
    give = {"task_id": scene.task.task_id, "reason": "직접"}
    for person in (scene.site_manager, scene.owner, scene.security):
        assert code_of(take_over, actor=person, **give) == "not_permitted"
    assert code_of(take_over, actor=Tenant().pm, **give) == "not_found"
    assert code_of(take_over, actor=scene.pm, task_id=scene.task.task_id, reason=" ") == "reason_missing"
    scene.take(scene.operator)
    assert scene.now.status == "MAN" and scene.now.takeovers.get().came_from == status
    assert code_of(take_over, actor=scene.operator, **give) == "stale_state"
    scene.take(scene.pm)
    assert scene.now.takeovers.count() == 2


@pytest.mark.parametrize("status", ["EXE"])
def test_what_the_engine_has_is_not_taken_from_it(status: str) -> None:
    scene = Scene(status)
    assert code_of(take_over, actor=scene.pm, task_id=scene.task.task_id, reason="직접") == "not_in_that_state"


def test_who_does_not_have_the_task_does_not_record_and_hears_who_has() -> None:
    scene = Scene()
    assert code_of(scene.record, actor=scene.operator) == "not_taken_over"
    scene.take(scene.operator)
    with pytest.raises(GuardiaError, match=str(scene.operator)):
        scene.record(scene.pm)
    assert code_of(scene.record, actor=scene.owner) == "not_permitted"


def test_what_a_record_needs() -> None:
    scene, other = Scene(), Tenant()
    scene.take(scene.operator)
    file = SimpleUploadedFile("a.txt", b"a")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"text": "  "}, "empty_request"),
        ({"command_log": "x" * 200_001}, "too_long"),
        ({"done_at": now() + timedelta(hours=1)}, "in_the_future"),
        ({"files": [file] * 11}, "too_many_files"),
        ({"hostnames": []}, "no_servers"),
        ({"hostnames": ["no-such-host"]}, "unknown_server"),
        ({"hostnames": [make_server(other.system).hostname]}, "unknown_server"),
    ]
    for wrong, code in cases:
        assert code_of(scene.record, actor=scene.operator, **wrong) == code, wrong


def test_only_evidence_closes_and_only_for_somebody_elses_eyes() -> None:
    scene = Scene()
    assert code_of(scene.close, actor=scene.pm) == "evidence_missing"
    scene.take(scene.pm)
    scene.record(scene.pm, command_log="")
    assert code_of(scene.close, actor=scene.pm2) == "evidence_missing", "words alone prove nothing"
    scene.record(scene.pm)
    assert code_of(scene.close, actor=scene.pm) == "own_work"
    scene.take(scene.operator)
    with pytest.raises(GuardiaError, match=str(scene.pm2)):
        scene.close(scene.pm)
    for person in (scene.operator, scene.owner):
        assert code_of(scene.close, actor=person) == "not_permitted"
    assert code_of(scene.close, actor=scene.site_manager) == "self_approval"
    assert scene.close(scene.pm2).status == "COM"


def test_evidence_is_never_changed() -> None:
    scene = Scene()
    scene.take(scene.operator)
    scene.record(scene.operator, files=[SimpleUploadedFile("a.txt", b"a")])
    for model in (Takeover, ManualRecord, Evidence):
        for act in (lambda rows: rows.update(id=999), lambda rows: rows._raw_delete("default")):
            with pytest.raises(DatabaseError), transaction.atomic():
                act(model._default_manager.all())


@pytest.mark.parametrize("status", ["ERR", "MAN"])
def test_a_pm_lets_it_be_planned_and_approved_anew(status: str) -> None:
    scene = Scene(status)
    given = {"task_id": scene.task.task_id, "reason": "디스크를 비웠습니다"}
    assert code_of(plan_again, actor=scene.operator, **given) == "not_permitted"
    plan_again(actor=scene.pm, **given)
    assert (scene.now.status, scene.now.reason) == ("PAR", "디스크를 비웠습니다")
    plan = prepare_plan(scene.task.pk)
    assert plan is not None and scene.now.status == "PEN"
    assert list(ApprovalRound.objects.filter(task=scene.task).values_list("status", flat=True)) == ["VOID", "OPEN"]
    for person in (scene.owner, scene.pm):
        approve(scene.task, plan, person)
    assert scene.now.status == "APP"


def test_a_failure_is_closed_as_not_done_with_a_reason() -> None:
    scene = Scene("ERR")
    assert scene.now.closed_at is None
    given = {"task_id": scene.task.task_id, "reason": "필요 없어졌습니다"}
    assert code_of(close_not_done, actor=scene.operator, **given) == "not_permitted"
    assert code_of(close_not_done, actor=scene.pm, task_id=scene.task.task_id, reason="") == "reason_missing"
    close_not_done(actor=scene.pm, **given)
    assert scene.now.status == "ERR" and scene.now.closed_at is not None
    assert scene.site_manager.notifications.filter(kind="closed_not_done").exists()
    for service in (close_not_done, plan_again, take_over):
        assert code_of(service, actor=scene.pm, **given) == "not_in_that_state"


def test_what_touched_no_server_may_be_dropped_and_what_may_have_needs_evidence() -> None:
    scene = Scene()
    given = {"actor": scene.pm, "reason": "보류"}
    assert code_of(close_not_done, task_id=scene.task.task_id, **given) == "evidence_missing"
    fresh = scene.file()
    transition_task(task=lock_task(fresh.pk), by="hand_over", actor="test", reason="플레이북 없음")
    assert close_not_done(task_id=fresh.task_id, **given).status == "REJ"
