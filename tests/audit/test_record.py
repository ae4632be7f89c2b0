"""`record`: in the transaction of its change or not at all, with what it was told and no secret."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from audit.chain import SEED_FIELDS, entry_hash, genesis
from audit.models import Chain, Entry
from audit.reading import Part, told
from audit.services import record
from audit.verifying.all_chains import verify_all
from guardia.common.canonical import canonical_bytes
from guardia.common.context import traced
from tests.audit.forgery import forge
from tests.audit.words import words_of
from tests.factories import make_institution, make_user
from tests.snapshot import nothing_changes

ENTRY: dict[str, Any] = {"action": "test.done", "actor": "tester", "institution": None}


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_raises() -> None:
    with nothing_changes(), pytest.raises(transaction.TransactionManagementError):
        record(**ENTRY)


@pytest.mark.django_db(transaction=True)
def test_entry_and_change_are_committed_or_rolled_back_together() -> None:
    institution = make_institution()
    with nothing_changes(), pytest.raises(RuntimeError), transaction.atomic():
        institution.name = "renamed"
        institution.save()
        record(**{**ENTRY, "institution": institution})
        raise RuntimeError
    with transaction.atomic():
        record(**ENTRY)
        with pytest.raises(RuntimeError), transaction.atomic():  # a savepoint that is given up takes its entry with it
            record(**ENTRY)
            raise RuntimeError
        record(**ENTRY)
    chain = Chain.objects.get(key="system")
    assert chain.head_number == chain.entries.count() == 2
    assert all(report.is_intact for report in verify_all())


@pytest.mark.django_db
def test_the_body_holds_who_when_where_what_and_the_hash_before() -> None:
    institution, user = make_institution(), make_user()
    with traced(source_ip="127.0.0.9", channel="api", run_id="7"):
        record(**{**ENTRY, "institution": institution})
        entry = record(
            action="test.told",
            actor=user,
            institution=institution,
            subject=institution,
            task_id="OPS-1",
            result_code=0,
            server="was-01",
            hosts=["a", "b"],
        )
    body = json.loads(Entry.objects.get(pk=entry.pk).body)
    first = Entry.objects.get(chain=entry.chain, number=1)
    assert first.prev_hash == genesis(f"institution:{institution.code}")
    assert datetime.strptime(body.pop("recorded_at"), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) == entry.recorded_at
    assert body == {
        "format": 3,
        "personal": None,
        "chain": f"institution:{institution.code}",
        "number": 2,
        "prev_hash": first.hash,
        "action": "test.told",
        "actor": f"user:{user.pk}:{user.username}",
        "task_id": "OPS-1",
        "object_type": "institution",
        "object_id": str(institution.pk),
        "object": institution.name,
        "summary": "",
        "source_ip": "127.0.0.9",
        "channel": "api",
        "run_id": "7",
        "system": "",
        "server": "was-01",
        "step": "",
        "commands": [],
        "result_code": 0,
        "output_sha256": "",
        "facts": {"hosts": ["a", "b"]},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("value", [1.5, b"bytes", {1, 2}, object(), {1: "a"}], ids=lambda value: type(value).__name__)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with nothing_changes(), pytest.raises(TypeError), transaction.atomic():
        record(**ENTRY, fact=value)


@pytest.mark.django_db
def test_hostile_text_is_kept_and_verifies() -> None:
    for text in ("\x00", "\ud800", "‮abc", "a\r\nb", "'; DROP TABLE audit_entry; --", "🔥" * 1000):
        record(**ENTRY, summary=text, fact=text)
    assert all(report.is_intact for report in verify_all())


@pytest.mark.django_db
def test_a_summary_with_a_password_is_masked() -> None:
    entry = record(**ENTRY, summary="password=hunter2secret 로 접속")
    assert "hunter2secret" not in words_of(entry) and "접속" in words_of(entry)


@pytest.mark.django_db
def test_entries_of_the_older_formats_go_on_to_verify_beside_those_of_the_newest() -> None:
    institution = make_institution()
    for old in (1, 2):
        entry = record(**{**ENTRY, "institution": institution})
        body = {**json.loads(entry.body), "format": old}
        for name in ("personal", *(SEED_FIELDS if old == 1 else ())):
            del body[name]
        text = canonical_bytes(body)
        forge("UPDATE audit_entry SET body = %s, hash = %s WHERE id = %s", text.decode(), entry_hash(text), entry.pk)
        forge("UPDATE audit_chain SET head_hash = %s WHERE id = %s", entry_hash(text), entry.chain_id)
    record(**{**ENTRY, "institution": institution}, summary="왜")
    rows = Entry.objects.filter(chain=entry.chain).order_by("number")
    assert [json.loads(row.body)["format"] for row in rows] == [1, 2, 3]
    assert verify_all().is_intact
    assert [found.part for found in told(rows)] == [Part.NONE, Part.NONE, Part.OPEN]
