"""The command and the admin's button: what they say, to whom, and the exit code."""

import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.choices import Role
from accounts.models import Institution
from audit.management.commands.audit_verify import _Marks
from audit.models import Chain, Entry, Verification
from audit.services import record
from audit.services.make_checkpoint import make_checkpoint
from audit.verifying import all_chains
from audit.verifying.one_chain import Reached
from tests.audit.forgery import forge, make_chain
from tests.doors import browser
from tests.factories import make_institution, make_user

pytestmark = pytest.mark.django_db
VERIFY = "/admin/audit/chain/verify/"


def run(*arguments: str) -> tuple[int, str]:
    """(exit code, output)"""
    out = StringIO()
    try:
        call_command("audit_verify", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_intact_chains_exit_0() -> None:
    chain = make_chain(3)
    code, said = run()
    assert code == 0 and f"intact  {chain.key}: 3 entries, head {chain.head_hash[:16]}" in said
    code, said = run("--json")
    document: dict[str, Any] = json.loads(said)
    (row,) = [row for row in document["chains"] if row["chain"] == chain.key]
    assert code == 0 and document["intact"] is True
    assert row == {"chain": chain.key, "entries": 3, "head_hash": chain.head_hash, "fault": None, "intact": True}


def test_a_broken_chain_exits_1_and_names_the_first_bad_entry() -> None:
    whole, broken = make_chain(3), make_chain(5)
    forge("UPDATE audit_entry SET actor = 'nobody' WHERE chain_id = %s AND number IN (3, 5)", broken.pk)
    code, said = run()
    assert code == 1
    assert f"intact  {whole.key}" in said and f"BROKEN  {broken.key}: entry 3 altered" in said
    code, said = run("--json")
    (row,) = [row for row in json.loads(said)["chains"] if not row["intact"]]
    assert code == 1 and json.loads(said)["intact"] is False
    assert row["fault"]["chain"] == broken.key and (row["fault"]["number"], row["fault"]["kind"]) == (3, "altered")
    assert run("--chain", whole.key)[0] == 0 and run("--chain", broken.key)[0] == 1


def test_a_chain_that_is_not_there_is_an_error_of_its_own() -> None:
    with pytest.raises(CommandError) as error:
        call_command("audit_verify", "--chain", "institution:NOWHERE")
    assert error.value.returncode == 2


class Pulled(Exception):
    """Somebody pulled the plug."""


@pytest.fixture
def interrupted(monkeypatch: Any) -> Chain:
    """A chain of 100 entries under two checkpoints, its verification ended after the first 40."""
    chain = make_chain(60)
    make_checkpoint(reason="asked")
    with transaction.atomic():
        for number in range(40):
            record(action="test.more", actor="t", institution=Institution.objects.get(code=chain.key[12:]), n=number)
    make_checkpoint(reason="asked")
    chain.refresh_from_db()
    monkeypatch.setattr(all_chains, "_PART_SIZE", 20)
    note = _Marks.note

    def pulled(marks: _Marks, key: str, reached: Reached, entries: int) -> None:
        note(marks, key, reached, entries)
        if reached.number == 40:
            raise Pulled

    with monkeypatch.context() as patch, pytest.raises(Pulled):
        patch.setattr(_Marks, "note", pulled)
        run("--chain", chain.key)
    return chain


def test_an_interrupted_verification_goes_on_where_it_stopped(interrupted: Chain) -> None:
    forge("UPDATE audit_entry SET actor = 'x' WHERE chain_id = %s AND number = 30", interrupted.pk)  # already seen
    code, said = run("--chain", interrupted.key, "--resume")
    assert code == 0 and f"intact  {interrupted.key}: 100 entries" in said
    assert Verification.objects.first().entries == 60  # type: ignore[union-attr]
    assert run("--chain", interrupted.key)[0] == 1
    with pytest.raises(CommandError) as nothing_left:
        call_command("audit_verify", "--resume")
    assert nothing_left.value.returncode == 2


@pytest.mark.parametrize(
    ("forgery", "bad"),
    [
        ("UPDATE audit_entry SET actor = 'x' WHERE chain_id = %s AND number = 77", 77),
        ("DELETE FROM audit_entry WHERE chain_id = %s AND number = 41", 41),
        ("DELETE FROM audit_entry WHERE chain_id = %s AND number > 90", 91),
    ],
)
def test_what_is_forged_meanwhile_is_found(interrupted: Chain, forgery: str, bad: int) -> None:
    forge(forgery, interrupted.pk)
    code, said = run("--chain", interrupted.key, "--resume")
    assert code == 1 and f"BROKEN  {interrupted.key}: entry {bad} " in said


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"KEY": [40, "00", ""]}', '{"KEY": [-1, "00", "zz"]}'])
def test_marks_that_were_tampered_with_are_refused_or_found(interrupted: Chain, content: str) -> None:
    marks = settings.GUARDIA_HOME / "verification.json"
    marks.write_text(content.replace("KEY", interrupted.key))
    try:
        code, _said = run("--chain", interrupted.key, "--resume")
    except CommandError as error:
        code = error.returncode
    assert code in (1, 2)


def test_marks_of_another_place_are_found_at_the_checkpoint(interrupted: Chain) -> None:
    """Somebody who writes the marks may skip a part, but the tree that the checkpoint signed covers it."""
    marks = settings.GUARDIA_HOME / "verification.json"
    [(key, mark)] = json.loads(marks.read_text()).items()
    entry = Entry.objects.get(chain=interrupted, number=56)
    marks.write_text(json.dumps({key: [56, entry.hash, "00" * 32 * (56).bit_count()]}))
    assert mark[0] == 40 and run("--chain", key, "--resume")[0] == 1


@pytest.mark.parametrize("is_broken", [False, True])
def test_the_button_verifies_what_the_reader_may_see(is_broken: bool) -> None:
    mine, theirs = make_institution(), make_institution()
    chains = [make_chain(4, institution) for institution in (mine, theirs)]
    if is_broken:
        for chain in chains:
            forge("DELETE FROM audit_entry WHERE chain_id = %s AND number = 2", chain.pk)
    response = browser(make_user(Role.AUDITOR, mine)).post(VERIFY)
    assert response.status_code == 200 and response.context["is_intact"] is not is_broken
    assert [report.chain for report in response.context["reports"]] == [chains[0].key]
    assert theirs.code not in response.content.decode()
    everything = browser(make_user(Role.AUDITOR)).post(VERIFY).context["reports"]
    assert {chain.key for chain in chains} < {report.chain for report in everything}


def test_only_readers_of_the_chain_press_it_and_only_by_post() -> None:
    institution = make_institution()
    make_chain(1, institution)
    assert browser(make_user(Role.OPERATOR, institution)).post(VERIFY).status_code == 403
    assert browser(make_user(Role.AUDITOR, institution)).get(VERIFY).status_code == 405
