"""A prepared change: submitted by a process, judged by a PM for the diff that was shown, as often as it takes."""

from typing import Any

import pytest

from audit.models import Entry
from execution.rollout.start_run import start_run
from governance.choices import ReviewDecision
from governance.models import ChangeReview
from governance.services.review_change import review_change
from governance.services.submit_change import DIFF_LIMIT, submit_change
from guardia.common.errors import GuardiaError
from tests.audit.words import body_of_entry
from tests.doors import browser
from tests.factories import Tenant, make_user
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db
DIFF = "--- a/app/Login.java\n+++ b/app/Login.java\n@@ -1,2 +1,2 @@\n same\n-old\n+new {}\n"


class Change(Tenant):
    """An approved code fix whose run was asked for: it stands at CHG."""

    def __init__(self) -> None:
        super().__init__(servers=1)
        self.task, _plan = self.approved()
        OpsTask.objects.filter(pk=self.task.pk).update(sub_type="CODE_FIX")
        assert start_run(self.task.pk) is None

    @property
    def status(self) -> str:
        return OpsTask.objects.get(pk=self.task.pk).status

    def submit(self, diff: str = DIFF, **context: Any) -> ChangeReview:
        return submit_change(actor="test agent", task_pk=self.task.pk, diff=diff, context=context)

    def review(self, decision: str, instruction: str = "", **more: Any) -> ChangeReview:
        last = self.task.change_reviews.first()
        given = {
            "actor": self.pm,
            "revision": last.revision if last else 1,
            "digest": last.diff_digest if last else "",
            **more,
        }
        return review_change(
            task_id=self.task.task_id, decision=ReviewDecision(decision), instruction=instruction, **given
        )


def refused(service: Any, **given: Any) -> GuardiaError:
    with nothing_changes(), pytest.raises(GuardiaError) as error:
        service(**given)
    return error.value


def test_reworked_until_accepted_and_then_it_may_run() -> None:
    change = Change()
    assert change.status == "CHG", "an approved code change isn't run before it is prepared and reviewed"
    change.submit(DIFF.format(1), files=["app/Login.java"])
    assert change.status == "REV" and change.pm.notifications.filter(kind="review_requested").exists()
    change.review("rework", "로그를 남기세요")
    assert (change.status, OpsTask.objects.get(pk=change.task.pk).reason) == ("CHG", "로그를 남기세요")
    change.submit(DIFF.format(2))
    change.review("accept")
    assert change.status == "APP"
    kept = list(change.task.change_reviews.order_by("revision").values_list("revision", "decision", "instruction"))
    assert kept == [(1, "rework", "로그를 남기세요"), (2, "accept", "")]
    actions = Entry.objects.filter(task_id=change.task.task_id, action__startswith="change.").order_by("pk")
    assert [e.action for e in actions] == ["change.submitted", "change.reviewed"] * 2
    told = body_of_entry(actions[1])
    assert told["summary"] == "로그를 남기세요" and told["facts"]["diff_digest"]


def test_taken_over_it_is_done_by_hand() -> None:
    change = Change()
    change.submit()
    change.review("take_over", "직접 고치겠습니다")
    assert change.status == "MAN" and change.task.takeovers.get().came_from == "REV"


def test_who_may_not_review_is_told_who_can() -> None:
    change = Change()
    change.submit()
    operator = make_user(institution=change.institution)
    for person, code in (
        (change.owner, "not_permitted"),
        (change.site_manager, "self_approval"),
        (operator, "not_found"),
        (Tenant().pm, "not_found"),
    ):
        error = refused(change.review, decision="accept", actor=person)
        assert error.code == code
        assert code == "not_found" or str(change.pm) in str(error)


def test_only_the_diff_that_was_shown_is_judged_and_once() -> None:
    change = Change()
    change.submit()
    assert refused(change.review, decision="accept", digest="0" * 64).code == "digest_changed"
    assert refused(change.review, decision="rework").code == "reason_missing"
    assert refused(change.review, decision="accept", revision=7).code == "not_found"
    change.review("accept")
    error = refused(change.review, decision="rework", instruction="늦었습니다")
    assert error.code == "already_decided" and str(change.pm) in str(error)


def test_what_cannot_be_submitted() -> None:
    change = Change()
    assert refused(change.submit, diff=" \n").code == "empty_change"
    assert refused(change.submit, diff="x" * (DIFF_LIMIT + 1)).code == "change_too_large"
    assert refused(change.submit, files="x" * (1024 * 1024)).code == "change_too_large"
    change.submit()
    assert refused(change.submit).code == "not_in_that_state"


def test_the_page_shows_the_diff_as_text_with_numbers_and_the_form_to_the_pm_only() -> None:
    change = Change()
    path = f"/tasks/{change.task.task_id}/"
    assert "card" in browser(change.pm).get(path).content.decode()
    row = change.submit(DIFF.format("<script>alert(1)</script>\u202e"))
    page = browser(change.pm).get(path).content.decode()
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page and "\u202e" not in page
    assert 'class="diff-removed"' in page and 'class="diff-added"' in page and f'value="{row.diff_digest}"' in page
    assert "changes/1/" not in browser(change.owner).get(path).content.decode()
    whole = browser(change.owner).get(f"{path}changes/1.diff")
    assert whole.content.decode() == row.diff and "attachment" in whole["Content-Disposition"]
    body = {"decision": "accept", "digest": row.diff_digest, "next": path}
    assert browser(change.pm).post(f"{path}changes/1/", body).status_code == 302
    assert change.status == "APP"
