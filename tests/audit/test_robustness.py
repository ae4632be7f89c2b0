"""When an entry can't be written the change doesn't happen; many writers make no gap; a clock set back is no fault."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from importlib import import_module
from random import Random
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Institution
from accounts.services.tokens import create_token
from audit.models import Chain, Checkpoint, Entry, Witness
from audit.services.deliver import deliver_checkpoints
from audit.services.make_checkpoint import make_checkpoint
from audit.services.record import Draft, record, record_across
from audit.verifying.all_chains import verify_all
from guardia.common.clock import now
from tests.audit.forgery import make_chain
from tests.factories import make_institution, make_user
from tests.snapshot import nothing_changes
from tests.threads import race


@contextmanager
def insert_revoked() -> Iterator[None]:
    """As a role that may do everything but write entries."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("REVOKE INSERT ON audit_entry FROM CURRENT_USER")
        yield
        transaction.set_rollback(True)


@contextmanager
def read_only() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        yield
        transaction.set_rollback(True)


@contextmanager
def disk_full() -> Iterator[None]:
    """PostgreSQL's own error for it, at the moment when the entry is written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION seal_test_full() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER seal_test_full BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION seal_test_full()"
        )
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", [insert_revoked, read_only, disk_full], ids=lambda trouble: trouble.__name__)
def test_no_entry_no_change(trouble: Any) -> None:
    person = make_user()
    with nothing_changes(), trouble(), pytest.raises(DatabaseError), transaction.atomic():
        create_token(actor=person, name="x", scopes=["read"], days=1)
    create_token(actor=person, name="x", scopes=["read"], days=1)  # the control: without the trouble it works


@pytest.mark.django_db
def test_a_checkpoint_directory_that_takes_nothing_stops_nothing(settings: Any, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.GUARDIA_CHECKPOINT_DIR = str(tmp_path / "file" / "checkpoints")
    make_chain(2)
    make_checkpoint(reason="asked")
    deliver_checkpoints()
    make_chain(2)
    assert Witness.objects.get(name="directory").failing_since is not None and Checkpoint.objects.count() == 1
    settings.GUARDIA_CHECKPOINT_DIR = ""
    deliver_checkpoints()
    witness = Witness.objects.get(name="directory")
    assert (witness.delivered, witness.failing_since) == (1, None) and verify_all().is_intact


@pytest.mark.django_db
def test_a_clock_that_goes_back_a_day_breaks_nothing(monkeypatch: Any) -> None:
    institution = make_institution()
    make_chain(2, institution)
    make_checkpoint(reason="asked")
    monkeypatch.setattr(import_module("audit.services.record"), "now", lambda: now() - timedelta(days=1))
    chain = make_chain(2, institution)
    monkeypatch.undo()
    make_chain(1, institution)
    make_checkpoint(reason="asked")
    times = list(chain.entries.order_by("number").values_list("recorded_at", flat=True))
    assert times[2] < times[1] < times[4]
    assert verify_all().is_intact


def _write(institution: Institution, writer: int, count: int) -> None:
    for number in range(count):
        with transaction.atomic():
            record(action="test.done", actor=f"writer {writer}", institution=institution, number=number)


def _seal(count: int) -> None:
    for _ in range(count):
        make_checkpoint(reason="time")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chains", [1, 16])
def test_sixteen_writers_and_checkpoints_beside_them_make_no_gap_and_no_fork(chains: int) -> None:
    institutions = [make_institution() for _ in range(chains)]
    acts = [partial(_write, institutions[writer % chains], writer, 20) for writer in range(16)]
    race([*acts, partial(_seal, 5)])
    make_checkpoint(reason="time")
    assert sum(chain.head_number for chain in Chain.objects.filter(key__startswith="institution:")) == 16 * 20
    report = verify_all()
    assert report.is_intact and report.checkpoints == 6, report.faults


def _write_across(institutions: list[Institution], writer: int, count: int) -> None:
    """Each time to a few of the chains at once, in whatever order they come."""
    dice = Random(writer)
    for number in range(count):
        chosen = dice.sample(institutions, dice.choice([1, 2, 5]))
        draft = Draft(action="test.done", actor=f"writer {writer}", facts={"number": number})
        with transaction.atomic():
            record_across((institution, draft) for institution in [*chosen, chosen[0]])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chains", [6, pytest.param(1000, marks=pytest.mark.slow)])
def test_sixteen_writers_across_many_chains_neither_fork_nor_wait_for_each_other_for_ever(chains: int) -> None:
    institutions = Institution.objects.bulk_create(
        Institution(code=f"MANY{number}", name=f"기관 {number}") for number in range(chains)
    )
    race([*(partial(_write_across, institutions, writer, 60) for writer in range(16)), partial(_seal, 5)])
    make_checkpoint(reason="time")
    written = sum(chain.head_number for chain in Chain.objects.filter(key__startswith="institution:MANY"))
    assert written == Entry.objects.filter(action="test.done").count() >= 16 * 60 * 2
    report = verify_all()
    assert report.is_intact and report.checkpoints == 6, report.faults
    assert len(report.chains) >= chains * 0.5
