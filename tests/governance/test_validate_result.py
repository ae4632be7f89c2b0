"""A PM's judgement on a result: accepted, sent back with an instruction, or taken into their own hands."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.choices import Role
from execution.plan.prepare import prepare_plan
from governance.choices import ReviewDecision
from governance.models import ApprovalRound, ResultReview
from governance.services.validate_result import validate_result
from guardia.common.errors import GuardiaError
from tests.factories import approve, make_user, pending_step
from tests.governance.test_manual_work import Scene
from tests.snapshot import nothing_changes
from tickets.locks import lock_task
from tickets.models import OpsTask
from tickets.services.file_task import attach
from tickets.services.store_artefact import store_artefact
from tickets.services.transition_task import transition_task

pytestmark = pytest.mark.django_db


def judge(scene: Scene, decision: str, comment: str = "", file: SimpleUploadedFile | None = None) -> ResultReview:
    return validate_result(
        actor=scene.pm,
        task_id=scene.task.task_id,
        decision=ReviewDecision(decision),
        comment=comment,
        artefact=file,
    )


def test_accepted_is_completed() -> None:
    scene = Scene("VAL")
    judge(scene, "accept")
    assert (scene.now.status, scene.now.closed_at is not None) == ("COM", True)
    assert scene.site_manager.notifications.filter(kind="task_completed").exists()


def test_a_rework_is_a_new_plan_with_the_instruction_and_the_new_file() -> None:
    scene = Scene("VAL")
    judge(scene, "rework", "설정 파일도 함께 배포하세요", SimpleUploadedFile("app2.war", b"second"))
    assert (scene.now.status, scene.now.reason) == ("PAR", "설정 파일도 함께 배포하세요")
    plan = prepare_plan(scene.task.pk)
    assert plan is not None and plan.digest != scene.plan.digest
    assert plan.content["instructions"] == ["설정 파일도 함께 배포하세요"]
    assert [row["name"] for row in plan.content["artefacts"]] == ["app2.war"]
    rounds = list(ApprovalRound.objects.filter(task=scene.task).values_list("status", "plan_digest"))
    assert rounds == [("VOID", scene.plan.digest), ("OPEN", plan.digest)]
    assert scene.now.status == "PEN"
    assert scene.site_manager.notifications.filter(kind="rework_requested").exists()


def test_who_brings_the_file_neither_approves_nor_judges_it() -> None:
    scene = Scene("VAL")
    judge(scene, "rework", "고친 파일입니다", SimpleUploadedFile("app2.war", b"second"))
    plan = prepare_plan(scene.task.pk)
    assert plan is not None
    approve(scene.task, plan, scene.owner)
    assert pending_step(scene.task).approver == scene.pm2, "the first PM isn't asked"
    with nothing_changes(), pytest.raises(GuardiaError, match=str(scene.pm2)) as refused:
        approve(scene.task, plan, scene.pm)
    assert refused.value.code == "self_approval"
    approve(scene.task, plan, scene.pm2)
    for way in ("start", "finish"):
        with transaction.atomic():
            transition_task(task=lock_task(scene.task.pk), by=way, actor="test")
    with nothing_changes(), pytest.raises(GuardiaError, match=str(scene.pm2)) as refused:
        judge(scene, "accept")
    assert refused.value.code == "self_approval"
    # when the requester brings a file of their own, the request is theirs alone again
    attach(scene.now, store_artefact(SimpleUploadedFile("app3.war", b"third")), by=scene.site_manager)
    judge(scene, "accept")
    assert scene.now.status == "COM"


def test_a_file_that_nobody_else_could_judge_is_refused() -> None:
    scene = Scene("VAL")
    administrator = make_user(Role.ADMINISTRATOR, scene.institution)
    scene.pm2.memberships.all().delete()
    with nothing_changes(), pytest.raises(GuardiaError, match=str(administrator)):
        judge(scene, "rework", "고친 파일입니다", SimpleUploadedFile("app2.war", b"second"))
    judge(scene, "rework", "다시 배포하세요")
    assert scene.now.status == "PAR"


def test_work_that_changes_code_goes_back_to_the_changes_preparation() -> None:
    scene = Scene("VAL")
    OpsTask.objects.filter(pk=scene.task.pk).update(sub_type="CODE_FIX")
    judge(scene, "rework", "널 검사를 추가하세요")
    assert (scene.now.status, scene.now.reason) == ("CHG", "널 검사를 추가하세요")
    assert ApprovalRound.objects.get(task=scene.task).status == "APPROVED", "its scope stays approved"


def test_taken_over_it_is_in_the_pms_hands() -> None:
    scene = Scene("VAL")
    judge(scene, "take_over", "직접 고치겠습니다")
    assert scene.now.status == "MAN" and scene.now.takeovers.get().person == scene.pm


@pytest.mark.parametrize("decision", ReviewDecision.values)
def test_who_may_not_is_told_who_can(decision: str) -> None:
    scene = Scene("VAL")
    for person, code in (
        (scene.site_manager, "self_approval"),
        (scene.owner, "not_permitted"),
        (scene.operator, "not_permitted"),
    ):
        with nothing_changes(), pytest.raises(GuardiaError, match=str(scene.pm)) as refused:
            validate_result(actor=person, task_id=scene.task.task_id, decision=ReviewDecision(decision), comment="이유")
        assert refused.value.code == code


def test_without_words_only_accepting_is_possible() -> None:
    scene = Scene("VAL")
    for decision in ("rework", "take_over"):
        with nothing_changes(), pytest.raises(GuardiaError) as refused:
            judge(scene, decision, " \n")
        assert refused.value.code == "reason_missing"
