"""Every act that the product records can be said in words, in both languages."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from audit.act_words import act_words
from execution.choices import HELD, HostStatus, StepStatus
from governance.choices import ChangeStatus, ExceptionStatus
from governance.choices import StepStatus as ApprovalStatus
from tickets.services.transition_task import _PAST

_NAMED = re.compile(
    r'(?:\baction=|\bDraft\(\s*|\b_record\(|\b_tell\([^"]*|\b_go_on\([^"]*|\bKEY_ERASED = )"([a-z_]+\.[a-z_]+)"'
)


def recorded() -> set[str]:
    """What the sources name, and what they put together."""
    files = [path for app in settings.GUARDIA_APPS for path in (Path(settings.BASE_DIR) / app).rglob("*.py")]
    found = {action for path in files for action in _NAMED.findall(path.read_text(encoding="utf-8"))}
    found |= {f"task.{past}" for past in _PAST.values()}
    found |= {f"step.{status.value.lower()}" for status in StepStatus if status != StepStatus.STARTED}
    found |= {f"host.{status.value.lower()}" for status in HostStatus if status not in (*HELD, "PENDING")}
    found |= {f"approval.{status.value.lower()}" for status in (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED)}
    found |= {f"policy_change.{status.value.lower()}" for status in ChangeStatus if status != ChangeStatus.OPEN}
    found |= {f"freeze_exception.{status.value.lower()}" for status in ExceptionStatus}
    found |= {f"{model}.{done}" for model in ("site", "system", "server") for done in ("added", "changed")}
    return found


def test_every_act_has_its_words() -> None:
    acts = recorded()
    assert len(acts) > 120 and {"report.made", "session.logged_in", "host.skipped", "run.aborted"} <= acts
    for language in ("ko", "en"):
        with translation.override(language):
            assert sorted(act for act in acts if act_words(act) == act) == [], language


@pytest.mark.parametrize(
    ("action", "words"), [("approval.approved", "결재 승인"), ("task.unheard_of", "task.unheard_of"), ("x", "x")]
)
def test_what_is_not_known_is_shown_as_it_is(action: str, words: str) -> None:
    with translation.override("ko"):
        assert act_words(action) == words


def test_entries_of_former_days_are_read_like_those_of_today() -> None:
    with translation.override("ko"):
        assert act_words("task.reject") == act_words("task.rejected") != "task.reject"
