"""Checkpoints on the real table and a real directory: when they are made, what they hold, and what they catch."""

import json
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.choices import Role
from audit.checkpoint_keys import first_key
from audit.choices import Mode
from audit.exceptions import SealKeyMissing
from audit.merkle import root_of
from audit.models import Chain, Checkpoint, Entry, Witness
from audit.proofs import proof_of
from audit.seal import read_line, walk_checkpoints
from audit.services.deliver import deliver_checkpoints
from audit.services.export import export_chains
from audit.services.make_checkpoint import checkpoint_if_due, make_checkpoint
from audit.services.restore import restore
from audit.services.verify import verify
from audit.stores.directory import DirectoryStore
from audit.verifying.all_chains import verify_all
from guardia.common.errors import InvalidInput, NotPermitted
from tests.audit.forgery import forge, make_chain, triggers_off
from tests.audit.paper_chain import resealed, tool
from tests.audit.words import body_of_entry
from tests.factories import make_institution, make_user
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db


def sealed(length: int = 12) -> Chain:
    """A chain, sealed and delivered."""
    chain = make_chain(length)
    make_checkpoint(reason="asked")
    deliver_checkpoints()
    return chain


def lines() -> list[str]:
    return list(Checkpoint.objects.order_by("number").values_list("line", flat=True))


def exported(path: Path) -> Path:
    with path.open("wb") as out:
        export_chains(actor=make_user(Role.AUDITOR), reason="감사", out=out)
    return path


def faults() -> list[tuple[str, int, str]]:
    return [(fault.chain, fault.number, fault.kind) for fault in verify_all().faults]


def rewrite(chain: Chain, number: int) -> None:
    """From this entry to the end with all hashes and the head, as an administrator of the database can."""
    names = [
        "number",
        "prev_hash",
        "recorded_at",
        "action",
        "actor",
        "task_id",
        "object_type",
        "object_id",
        "body",
        "hash",
    ]
    before = ""
    with triggers_off():
        for row in chain.entries.filter(number__gte=number).order_by("number"):
            old = {name: getattr(row, name) for name in names}
            changes = {"prev_hash": before or row.prev_hash, "summary": "forged"}
            new = resealed({**old, "recorded_at": json.loads(row.body)["recorded_at"]}, **changes)
            before = new["hash"]
            Entry.objects.filter(pk=row.pk).update(body=new["body"], hash=before, prev_hash=new["prev_hash"])
        Chain.objects.filter(pk=chain.pk).update(head_hash=before)


def test_a_checkpoint_holds_the_heads_and_tree_roots_of_all_chains(home: Path) -> None:
    chain, other = make_chain(5), make_chain(9)
    made = make_checkpoint(reason="first")
    document = read_line(made.line)
    assert document is not None and document.heads[chain.key].length == 5
    leaves = [bytes.fromhex(entry.hash) for entry in other.entries.order_by("number")]
    assert document.heads[other.key].tree_root == root_of(leaves).hex()
    assert walk_checkpoints(lines(), first_key()).fault is None
    assert oct((home / "keys" / "checkpoints").stat().st_mode)[-3:] == "700"


def test_the_tree_grows_on_from_what_was_sealed() -> None:
    institution = make_institution()
    for length in (1, 2, 3, 7):
        chain = make_chain(length, institution)
        made = read_line(make_checkpoint(reason="time").line)
        assert made is not None
        leaves = [bytes.fromhex(entry.hash) for entry in chain.entries.order_by("number")]
        assert made.heads[chain.key].to_list()[1:] == [len(leaves), leaves[-1].hex(), root_of(leaves).hex()]
    assert verify_all().is_intact


def test_it_is_due_after_an_hour_or_a_thousand_entries_or_a_clock_set_back(settings: Any, monkeypatch: Any) -> None:
    make_chain(3)
    first = checkpoint_if_due()
    assert first is not None and checkpoint_if_due() is None
    settings.GUARDIA_CHECKPOINT_ENTRIES = 5
    make_chain(5)
    second = checkpoint_if_due()
    assert second is not None and second.reason == "count"
    make_chain(1)
    assert checkpoint_if_due() is None
    for shift in (timedelta(hours=1), -timedelta(days=1)):
        moment = Checkpoint.objects.order_by("number").last().made_at + shift  # type: ignore[union-attr]
        monkeypatch.setattr("audit.services.make_checkpoint.now", lambda moment=moment: moment)
        made = checkpoint_if_due()
        assert made is not None and made.reason == "time"
        make_chain(1)
    assert verify_all().is_intact


def test_a_rewritten_chain_an_old_back_up_and_a_cut_tail_are_found() -> None:
    chain = sealed()
    rewrite(chain, 4)
    assert faults() == [(chain.key, 1, "rewritten")]
    chain = sealed()
    forge("DELETE FROM audit_entry WHERE chain_id = %s AND number > 10", chain.pk)
    last = chain.entries.get(number=10).hash
    forge("UPDATE audit_chain SET head_number = 10, head_hash = %s WHERE id = %s", last, chain.pk)
    assert (chain.key, 11, "cut_tail") in faults()


def test_what_was_sealed_stays_sealed_when_the_next_checkpoint_is_made_over_a_forged_chain() -> None:
    chain = sealed()
    rewrite(chain, 4)
    before, after = read_line(lines()[-1]), read_line(make_checkpoint(reason="asked").line)
    assert before is not None and after is not None and before.heads[chain.key] == after.heads[chain.key]
    assert (chain.key, 1, "rewritten") in faults()


def test_a_restored_table_of_checkpoints_is_found_against_the_directory() -> None:
    sealed()
    make_chain(2)
    make_checkpoint(reason="asked")
    deliver_checkpoints()
    forge("DELETE FROM audit_checkpoint WHERE number = 2")
    assert ("checkpoints", 2, "missing_checkpoint") in faults()


def test_a_removed_altered_or_renamed_file_is_found(home: Path) -> None:
    sealed()
    folder = home / "checkpoints"
    for _ in range(2):
        make_checkpoint(reason="asked")
    deliver_checkpoints()
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"{number:012}.json" for number in (1, 2, 3)] and faults() == []
    contents = [file.read_bytes() for file in files]

    def put(*texts: bytes) -> list[tuple[str, int, str]]:
        for file in folder.iterdir():
            file.unlink()
        for file, text in zip(files, texts, strict=False):
            file.write_bytes(text)
        return faults()

    assert put(contents[0], contents[1]) == [("checkpoints", 3, "missing_checkpoint")]
    assert put(contents[0], contents[2], contents[1]) == [("checkpoints", 2, "reordered")]
    assert put(contents[0], contents[0]) == [("checkpoints", 1, "inserted")]
    assert put(contents[0], contents[1], contents[2][:50]) == [("checkpoints", 3, "altered")]
    assert put(*contents) == []


def test_another_copy_counts_against_the_machine_s_own(home: Path, tmp_path: Path) -> None:
    """Whoever has the whole machine removes the last checkpoint everywhere on it: a copy from elsewhere tells."""
    sealed()
    make_checkpoint(reason="asked")
    deliver_checkpoints()
    elsewhere = DirectoryStore(tmp_path / "elsewhere", append_only=False)
    for number, line in enumerate(lines(), start=1):
        elsewhere.put(number, line)
    (home / "checkpoints" / "000000000002.json").unlink()
    forge("DELETE FROM audit_checkpoint WHERE number = 2")
    Witness.objects.update(delivered=1)
    assert faults() == []
    found = verify_all(against=elsewhere.lines()).faults
    assert [(fault.number, fault.kind) for fault in found] == [(2, "missing_checkpoint")]


def test_a_rotated_key_seals_what_comes_and_nothing_that_was(home: Path) -> None:
    sealed()
    old = first_key()
    make_checkpoint(reason="rotation", rotate=True)
    make_chain(1)
    third = make_checkpoint(reason="asked")
    keys = {read_line(line).document["key_id"] for line in lines()}  # type: ignore[union-attr]
    assert len(keys) == 2 and walk_checkpoints(lines(), first_key()).fault is None and first_key() == old
    forged = json.loads(lines()[0])
    forged["signature"] = json.loads(third.line)["signature"]
    fault = walk_checkpoints([json.dumps(forged, sort_keys=True, separators=(",", ":")), *lines()[1:]], old).fault
    assert fault is not None and (fault.number, fault.kind) == (1, "bad_signature")
    for file in (home / "keys" / "checkpoints").glob("????????????????.pem"):
        file.unlink()
    with nothing_changes(), pytest.raises(SealKeyMissing), transaction.atomic():
        make_checkpoint(reason="time")


@pytest.mark.parametrize("sql", ["UPDATE audit_checkpoint SET line = ''", "DELETE FROM audit_checkpoint"])
def test_checkpoints_are_append_only(sql: str) -> None:
    sealed()
    with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_the_export_is_an_entry_and_the_tool_verifies_it(tmp_path: Path) -> None:
    chain = sealed()
    path = exported(tmp_path / "chain.jsonl")
    told = body_of_entry(Entry.objects.filter(action="chain.exported").latest("pk"))
    assert told["summary"] == "감사" and len(told["facts"]["file_sha256"]) == 64
    key = tmp_path / "first.pem"
    key.write_text(first_key())
    assert tool().main([str(path), "--key", str(key)]) == 0
    rewrite(chain, 4)
    assert tool().main([str(exported(path)), "--key", str(key)]) == 1
    path.write_bytes(path.read_bytes()[:-300])
    assert tool().main([str(path)]) == 2


def test_an_institution_s_export_shows_nothing_of_the_others(tmp_path: Path) -> None:
    mine, theirs = make_institution(), make_institution()
    make_chain(5, mine)
    make_chain(5, theirs)
    make_checkpoint(reason="asked")
    out = BytesIO()
    export_chains(actor=make_user(Role.AUDITOR, mine), reason="감사", out=out)
    assert mine.code in out.getvalue().decode() and theirs.code not in out.getvalue().decode()
    result = tool().verify(iter(out.getvalue().decode().splitlines()), first_key(), [])
    assert result["intact"] and result["chains"] == {f"institution:{mine.code}": 5}
    auditor = make_user(Role.AUDITOR, mine)
    for person in (make_user(Role.PM, mine), make_user(Role.OPERATOR)):
        with nothing_changes(), pytest.raises(NotPermitted):
            export_chains(actor=person, reason="감사", out=BytesIO())
    with nothing_changes(), pytest.raises(InvalidInput):
        export_chains(actor=auditor, reason=" ", out=BytesIO())


def test_a_proof_holds_for_its_entry_and_for_no_other() -> None:
    institution = make_institution()
    for length in (3, 6, 11):
        chain = make_chain(length, institution)
        make_chain(2)
        make_checkpoint(reason="asked")
    for entry in chain.entries.order_by("number"):
        proof = json.loads(json.dumps(proof_of(entry, first_key())))
        assert tool().verify_proof(proof, first_key()) == []
        proof["body"] = proof["body"].replace("test.act", "test.acr")
        assert tool().verify_proof(proof, first_key()) != []
        proof = proof_of(entry, first_key())
        if proof["consistency"]:  # the newest entries are under one checkpoint only
            proof["consistency"] = proof["consistency"][:-1]
            assert tool().verify_proof(proof, first_key()) != []


def test_restore_puts_back_what_the_export_proves_and_nothing_else(tmp_path: Path) -> None:
    chain = sealed()
    path = exported(tmp_path / "chain.jsonl")
    forge("UPDATE audit_entry SET actor = 'nobody' WHERE chain_id = %s AND number = 3", chain.pk)
    forge("DELETE FROM audit_entry WHERE chain_id = %s AND number = 7", chain.pk)
    with nothing_changes():
        found = restore(actor="test", path=path, reason="", dry_run=True)
    assert found.differing == {chain.key: [3, 7]}
    forged = tmp_path / "forged.jsonl"
    forged.write_text(path.read_text().replace("tester 1", "tester 9", 1))
    with nothing_changes(), pytest.raises(InvalidInput):
        restore(actor="test", path=forged, reason="x", dry_run=False)
    assert restore(actor="test", path=path, reason="복원", dry_run=False).restored == 2
    assert faults() == []
    with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic():  # the triggers are back
        Entry.objects.filter(chain=chain).delete()


def test_the_commands_say_what_they_do(home: Path, tmp_path: Path) -> None:
    chain, auditor, out = make_chain(4), make_user(Role.AUDITOR), StringIO()
    call_command("audit_checkpoint", stdout=out)
    call_command("audit_checkpoint", "--rotate-key", stdout=out)
    assert "checkpoint 2:" in out.getvalue() and "directory: up to 2" in out.getvalue()
    target = tmp_path / "out.jsonl"
    call_command("audit_export", "--as", auditor.username, "--reason", "감사", "--output", str(target), stdout=out)
    assert tool().main([str(target), "--checkpoints", str(home / "checkpoints")]) == 0
    call_command("audit_verify", "--against", str(home / "checkpoints"), "--since", "2", stdout=out)
    call_command("audit_restore", "--from", str(target), "--dry-run", stdout=out)
    assert "nothing was changed" in out.getvalue()
    nobody = make_user(Role.PM)
    with pytest.raises(CommandError):
        call_command("audit_export", "--as", nobody.username, "--reason", "x", "--output", str(tmp_path / "no"))
    assert not (tmp_path / "no").exists() and chain.entries.count() == 4


def test_the_incremental_verification_goes_on_where_the_last_one_ended() -> None:
    institution = make_institution()
    chain = make_chain(6, institution)
    assert verify(mode=Mode.FULL, actor="test").verification.reached[chain.key][0] == 6
    make_chain(3, institution)
    forge("UPDATE audit_entry SET actor = 'nobody' WHERE chain_id = %s AND number = 8", chain.pk)
    outcome = verify(mode=Mode.INCREMENTAL, actor="test")
    assert [(fault.number, fault.kind) for fault in outcome.report.faults] == [(8, "altered")]
    assert chain.key not in outcome.verification.reached
