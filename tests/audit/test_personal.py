"""What entries say of people is sealed: the chain verifies without a key, and goes on to when the key is erased."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import User
from audit import data_keys
from audit.choices import KeyStatus
from audit.exceptions import ReasonNeeded, SecondPersonNeeded
from audit.models import DataKey, Entry
from audit.personal import OBJECTS, TEXTS
from audit.reading import Part, Told, told, told_to
from audit.services import Draft, record, record_many
from audit.services.erase_key import decide_erasure, propose_erasure
from audit.services.export import export_chains
from audit.services.make_checkpoint import make_checkpoint
from audit.verifying.all_chains import verify_all
from guardia.common.canonical import canonical_bytes
from guardia.common.errors import GuardiaError, NotPermitted, NotVisible, StaleState
from tests.audit.forgery import forge
from tests.audit.paper_chain import tool
from tests.doors import browser
from tests.factories import Tenant, make_user
from tests.guardia.world import Zebra
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db

WORDS = "홍길동 010-1234-5678 민원"


def written(tenant: Tenant, task_id: str = "OPS-1", **more: Any) -> Entry:
    said = {"action": "test.told", "actor": "guardia", "institution": tenant.institution, "task_id": task_id}
    with transaction.atomic():
        return record(**{**said, "summary": WORDS, **more})


def read(entry: Entry) -> Told:
    return told([Entry.objects.select_related("chain").get(pk=entry.pk)])[0]


def key_of(entry: Entry) -> DataKey:
    return DataKey.objects.get(key_id=json.loads(entry.body)["personal"]["key"])


def erased(tenant: Tenant, key: DataKey) -> DataKey:
    propose_erasure(actor=tenant.security, key_pk=key.pk, reason="정보주체의 요구")
    return decide_erasure(actor=make_user(Role.ADMINISTRATOR, tenant.institution), key_pk=key.pk, erase=True)


def test_what_people_wrote_is_nowhere_in_the_row_and_is_read_with_the_key() -> None:
    tenant = Tenant(servers=1)
    entry = written(tenant, subject=tenant.pm, user="gildong", hosts=["a"], server="was-01")
    stored = str(Entry.objects.filter(pk=entry.pk).values())
    assert "홍길동" not in stored and "gildong" not in stored
    body = json.loads(entry.body)
    assert (body["summary"], body["object"], body["facts"], body["server"]) == ("", "", {"hosts": ["a"]}, "was-01")
    found = read(entry)
    assert found.part == Part.OPEN and found.body["summary"] == WORDS
    assert found.body["facts"] == {"hosts": ["a"], "user": "gildong"} and found.body["object"] == str(tenant.pm)
    assert key_of(entry).subject == f"user:{tenant.pm.pk}" and verify_all().is_intact


def test_sealed_bytes_do_not_open_anywhere_else_nor_altered() -> None:
    tenant = Tenant(servers=1)
    first, second = written(tenant), written(tenant)
    other = written(tenant, institution=None)
    for source, target in ((first, second), (first, other)):
        body = {**json.loads(target.body), "personal": json.loads(source.body)["personal"]}
        forge("UPDATE audit_entry SET body = %s WHERE id = %s", canonical_bytes(body).decode(), target.pk)
        assert read(target).part == Part.BROKEN
    body = json.loads(first.body)
    sealed = body["personal"]["sealed"]
    for bad in (sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:], "", "!", sealed[:8]):
        personal = {**body["personal"], "sealed": bad}
        text = canonical_bytes({**body, "personal": personal}).decode()
        forge("UPDATE audit_entry SET body = %s WHERE id = %s", text, first.pk)
        assert read(first).part == Part.BROKEN


def test_the_same_words_are_sealed_otherwise_each_time() -> None:
    tenant = Tenant(servers=1)
    sealed = {json.loads(written(tenant).body)["personal"]["sealed"] for _ in range(5)}
    assert len(sealed) == 5, "equal words can't be told from equal bytes, nor guessed and compared"


def test_the_chain_verifies_without_the_vault_s_key_and_both_verifiers_agree(tmp_path: Path) -> None:
    tenant = Tenant(servers=1)
    entry = written(tenant)
    make_checkpoint(reason="asked")
    (settings.GUARDIA_HOME / "keys" / "vault_key").write_text("another key")
    assert verify_all().is_intact and read(entry).part == Part.LOCKED
    path = tmp_path / "chain.jsonl"
    with path.open("wb") as out:
        export_chains(actor=make_user(Role.AUDITOR), reason="감사", out=out)
    assert tool().main([str(path)]) == 0 and "홍길동" not in path.read_text()
    later = written(tenant)
    assert read(later).part == Part.OPEN, "another vault's key makes other data keys; nothing stops"


def test_who_may_not_read_it_is_told_that_there_is_something() -> None:
    tenant, neighbour = Tenant(servers=1), Tenant(servers=1)
    entry, of_system = written(tenant), written(tenant, institution=None)
    readers = {tenant.security: Part.OPEN, tenant.pm: Part.SEALED, tenant.owner: Part.SEALED}
    readers[neighbour.security] = Part.SEALED
    readers[make_user(Role.AUDITOR)] = Part.OPEN
    for person, part in readers.items():
        [found] = told_to(person, [entry])
        assert found.part == part and (found.body["summary"] == WORDS) == (part == Part.OPEN), person
    assert told_to(tenant.security, [of_system])[0].part == Part.SEALED, "the system's chain is for those of all"
    path = f"/admin/audit/entry/{entry.pk}/change/"
    assert "홍길동" in browser(tenant.security).get(path).content.decode()
    page = browser(tenant.pm, language="en").get(path).content.decode()
    assert "홍길동" not in page and "auditors, security officers" in page


def test_two_people_erase_a_key_and_the_chain_goes_on() -> None:
    tenant = Tenant(servers=1)
    about, other = written(tenant), written(tenant, task_id="OPS-2")
    key, admin = key_of(about), make_user(Role.ADMINISTRATOR, tenant.institution)
    refusals: list[tuple[Any, dict[str, Any], type[GuardiaError]]] = [
        (propose_erasure, {"actor": tenant.pm, "reason": "x"}, NotPermitted),
        (propose_erasure, {"actor": Tenant(servers=1).security, "reason": "x"}, NotVisible),
        (propose_erasure, {"actor": tenant.security, "reason": "  "}, ReasonNeeded),
        (decide_erasure, {"actor": admin, "erase": True}, StaleState),
    ]
    for act, arguments, error in refusals:
        with nothing_changes(), pytest.raises(error):
            act(key_pk=key.pk, **arguments)
    propose_erasure(actor=tenant.security, key_pk=key.pk, reason="정보주체의 요구")
    with nothing_changes(), pytest.raises(SecondPersonNeeded):
        decide_erasure(actor=tenant.security, key_pk=key.pk, erase=True)
    assert read(about).part == Part.OPEN, "nothing is erased yet"
    decide_erasure(actor=admin, key_pk=key.pk, erase=True)
    with nothing_changes(), pytest.raises(StaleState):
        propose_erasure(actor=tenant.security, key_pk=key.pk, reason="again")
    assert (read(about).part, read(about).body["summary"], read(other).part) == (Part.ERASED, "", Part.OPEN)
    key.refresh_from_db()
    assert (key.status, key.wrapped, key.decided_by) == (KeyStatus.ERASED, None, admin)
    later = written(tenant)
    assert key_of(later) != key and read(later).part == Part.OPEN
    [entry] = Entry.objects.filter(action="data_key.erased")
    facts = read(entry).body["facts"]
    assert entry.chain == about.chain and (facts["about"], facts["key"]) == ("task:OPS-1", key.key_id)
    assert facts["proposed_by"] == tenant.security.get_username() and verify_all().is_intact
    page = browser(admin, language="en").get(f"/admin/audit/entry/{about.pk}/change/").content.decode()
    assert "Erased" in page and "홍길동" not in page


def test_a_refused_erasure_leaves_everything_readable() -> None:
    tenant = Tenant(servers=1)
    entry = written(tenant)
    propose_erasure(actor=tenant.security, key_pk=key_of(entry).pk, reason="x")
    decide_erasure(actor=make_user(Role.ADMINISTRATOR, tenant.institution), key_pk=key_of(entry).pk, erase=False)
    key = key_of(entry)
    assert (key.status, key.reason, key.proposed_by) == (KeyStatus.LIVING, "", None)
    assert read(entry).part == Part.OPEN


def test_the_entry_that_tells_of_an_erasure_is_not_sealed_with_the_erased_key() -> None:
    tenant = Tenant(servers=1)
    month = key_of(written(tenant, task_id=""))
    assert len(month.subject) == len("2026-11")
    erased(tenant, month)
    [entry] = Entry.objects.filter(action="data_key.erased")
    assert read(entry).part == Part.OPEN and read(entry).body["summary"] == "정보주체의 요구"


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_remembers_the_key_does_not_use_it_once_it_is_erased() -> None:
    tenant = Tenant(servers=1)
    first = written(tenant)
    with CaptureQueriesContext(connection) as captured:
        second = written(tenant)
    assert not any("audit_datakey" in query["sql"] for query in captured.captured_queries), "it is remembered"
    assert key_of(first) == key_of(second)
    erased(tenant, key_of(first))
    third = written(tenant)
    assert key_of(third) != key_of(first) and read(third).part == Part.OPEN
    assert [read(one).part for one in (first, second)] == [Part.ERASED] * 2


@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_rolled_back_is_not_remembered() -> None:
    tenant = Tenant(servers=1)
    with pytest.raises(RuntimeError), transaction.atomic():
        written(tenant)
        raise RuntimeError
    assert not DataKey.objects.filter(subject="task:OPS-1").exists()
    assert read(written(tenant)).part == Part.OPEN


def test_many_subjects_at_once_take_two_queries() -> None:
    tenant = Tenant(servers=1)
    drafts = [Draft("test.told", "guardia", task_id=f"OPS-{number}", summary=WORDS) for number in range(50)]
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        record_many(drafts, institution=tenant.institution)
    assert sum("audit_datakey" in query["sql"] for query in captured.captured_queries) == 2
    entries = list(Entry.objects.filter(action="test.told").select_related("chain"))
    assert [one.part for one in told(entries)] == [Part.OPEN] * 50 and verify_all().is_intact
    assert len({key_of(entry).pk for entry in entries}) == 50


def test_memory_of_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_keys, "_memory", {})
    monkeypatch.setattr(data_keys, "_MOST", 3)
    fresh: dict[data_keys.Place, Any] = {(0, f"task:{number}"): object() for number in range(9)}
    data_keys._remember(fresh, dict.fromkeys(fresh, 0))
    assert list(data_keys._memory) == [(0, f"task:{number}") for number in (6, 7, 8)]


def test_the_database_refuses_half_an_erasure() -> None:
    tenant = Tenant(servers=1)
    key = key_of(written(tenant))
    people = {"proposed_by": tenant.security, "decided_by": tenant.security}
    for change in ({"wrapped": None}, {"status": "ERASED"}, {"status": "ERASED", "wrapped": None, **people}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DataKey.objects.filter(pk=key.pk).update(**change)


def test_the_command_proposes_and_another_confirms() -> None:
    tenant = Tenant(servers=1)
    admin, entry, out = make_user(Role.ADMINISTRATOR, tenant.institution), written(tenant), StringIO()

    def erase(person: str, *words: str, about: str = "task:OPS-1") -> None:
        call_command("audit_erase", "--as", person, "--about", about, *words, stdout=out)

    officer = tenant.security.username
    for person, about in (("nobody", "task:OPS-1"), (tenant.pm.username, "task:OPS-1"), (officer, "task:OPS-9")):
        with nothing_changes(), pytest.raises(CommandError):
            erase(person, "--reason", "x", about=about)
    erase(officer, "--reason", "요구")
    with nothing_changes(), pytest.raises(CommandError):
        erase(officer, "--confirm")
    erase(admin.username, "--confirm")
    assert read(entry).part == Part.ERASED and "erased" in out.getvalue()


def test_the_page_leads_through_it() -> None:
    tenant = Tenant(servers=1)
    admin, key = make_user(Role.ADMINISTRATOR, tenant.institution), key_of(written(tenant))
    page = f"/admin/audit/datakey/{key.pk}"
    assert key.key_id in browser(tenant.security).get("/admin/audit/datakey/?q=task:OPS-1").content.decode()
    assert "propose/" in browser(tenant.security).get(f"{page}/change/").content.decode()
    assert "propose/" not in browser(tenant.pm).get(f"{page}/change/").content.decode()
    assert browser(tenant.security).post(f"{page}/propose/", {"reason": "요구"}).status_code == 302
    assert browser(tenant.security).post(f"{page}/decide/", {"decision": "erase"}).status_code == 403
    assert browser(admin).post(f"{page}/decide/", {"decision": "erase"}).status_code == 302
    key.refresh_from_db()
    assert key.status == KeyStatus.ERASED


def test_every_object_that_is_named_after_a_person_is_declared() -> None:
    zebra = Zebra()
    names = [str(user) for user in User.objects.filter(memberships__institution=zebra.institution)]
    named = set()
    for label in settings.GUARDIA_APPS:
        for model in apps.get_app_config(label).get_models():
            for row in model._default_manager.all()[:20]:
                if any(name in str(row) for name in names):
                    named.add(model._meta.model_name)
    assert named - {"notification"} <= OBJECTS, "their names in the chain would be clear"
    known = {model._meta.model_name for model in apps.get_models()}
    assert known >= OBJECTS and "summary" in TEXTS
