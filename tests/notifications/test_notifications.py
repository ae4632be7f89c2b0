"""Messages in the portal: told once, in the reader's language, escaped, and read only by whom they are for."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import translation

from accounts.choices import Role
from notifications.kinds import KINDS
from notifications.models import Notification
from notifications.services import mark_read, notify
from tests.doors import browser
from tests.factories import make_institution, make_user
from tests.snapshot import nothing_changes
from tests.threads import race

pytestmark = pytest.mark.django_db
#: They are about no task.
NO_TASK = {
    "halt_pressed",
    "halt_lifted",
    "gateway_shown",
    "gateway_forged",
    "gateway_alarm",
    "integrity_broken",
    "witness_failing",
    "report_ready",
    "report_failed",
    "absence_set",
    "absence_ended",
    "authority_stale",
    "logged_in_elsewhere",
    "policy_change_proposed",
    "policy_change_decided",
}
NAMES = (
    *("task", "title", "actor", "reason", "missing", "hosts", "parts", "time", "address", "answer", "count", "freeze"),
    *("name", "outcome", "period", "question", "revision", "systems"),
    *("target", "chain", "gateway", "number", "store", "since", "problem", "report"),
)
VALUES = {name: f"<{name}>" for name in NAMES}


def test_each_occasion_is_told_once_to_each_person() -> None:
    one, two = make_user(), make_user()
    for _time in range(3):
        notify(recipients=[one, two, one], kind="run_started", key="run:1", task="OPS-1", hosts=3)
    notify(recipients=[one], kind="run_started", key="run:2", task="OPS-1", hosts=3)
    notify(recipients=[one], kind="run_failed", key="run:1", task="OPS-1", reason="x")
    told = [(row.recipient, row.kind, row.dedup_key) for row in Notification.objects.order_by("recipient", "pk")]
    assert len(told) == 4 and len({key for *_rest, key in told}) == 4
    assert [kind for user, kind, _key in told if user == one] == ["run_started", "run_started", "run_failed"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_it_once_and_a_rolled_back_change_tells_nothing() -> None:
    user = make_user()

    def tell() -> None:
        with transaction.atomic():
            notify(recipients=[user], kind="run_started", key="run:1", task="OPS-1", hosts=3)

    race([tell] * 6)
    assert user.notifications.count() == 1
    with nothing_changes(), pytest.raises(RuntimeError), transaction.atomic():
        notify(recipients=[user], kind="run_failed", key="run:1", task="OPS-1", reason="x")
        raise RuntimeError


def test_an_unknown_kind_is_a_defect_and_nobody_is_told() -> None:
    user = make_user()
    with nothing_changes(), pytest.raises(KeyError):
        notify(recipients=[user], kind="surprise", key="1", task="OPS-1")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_can_be_said_with_the_values_it_names(kind: str, language: str) -> None:
    with translation.override(language):
        text = Notification(kind=kind, values=VALUES).text
    assert ("<task>" in text or kind in NO_TASK) and "%(" not in text


@pytest.mark.skipif(
    not (Path(settings.BASE_DIR) / "locale/ko/LC_MESSAGES/django.mo").exists(),
    reason="the Korean catalogue is not compiled (tools/messages.py compile)",
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_words_are_made_when_they_are_read(kind: str) -> None:
    row = Notification(kind=kind, values=VALUES)
    said = {}
    for language in ("ko", "en"):
        with translation.override(language):
            said[language] = row.text
    assert any("가" <= char <= "힣" for char in said["ko"]) and not any("가" <= char <= "힣" for char in said["en"])


def test_what_people_typed_is_shown_as_text_and_secrets_are_not_shown() -> None:
    user = make_user(Role.PM, make_institution())
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    notify(recipients=[user], kind="task_rejected", key="1", task="OPS-1", actor="kim", reason=hostile)
    notify(recipients=[user], kind="task_rejected", key="2", task="OPS-1", actor="kim", reason="password=hunter2secret")
    notify(recipients=[user], kind="task_rejected", key="3", task="OPS-1", actor="%(nothing)s %s {0}", reason="100 %")
    client = browser(user)
    for path in ("/", "/admin/notifications/notification/", "/messages/"):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page, path
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page, path
        assert "hunter2secret" not in page and "%(nothing)s %s {0}" in page, path


def test_reading_marks_ones_own_messages_and_nobody_elses() -> None:
    reader, other = make_user(Role.PM, institution := make_institution()), make_user(Role.PM, institution)
    notify(recipients=[reader, other], kind="run_started", key="run:1", task="OPS-1", hosts=3)
    assert browser(reader).get("/messages/").status_code == 200
    assert reader.notifications.get().read_at is not None and other.notifications.get().read_at is None
    read_at = reader.notifications.get().read_at
    newest = Notification.objects.latest("pk").pk
    assert mark_read(actor=reader, upto=newest) == 0 and reader.notifications.get().read_at == read_at
    assert mark_read(actor=other, upto=newest) == 1
