"""Stored files that nothing names are removed after a day, and nothing else ever is."""

import hashlib
import io
import os
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile

from execution.models import Plan
from execution.orphans import GRACE, remove_orphans
from execution.plan.site import as_tar
from governance.models import Evidence, ManualRecord
from guardia.common.canonical import canonical_bytes
from guardia.common.clock import now
from tests.factories import Tenant
from tickets.choices import Channel
from tickets.exceptions import UnknownServer
from tickets.models.artefact import stored_path
from tickets.services.file_task import file_task
from tickets.services.store_artefact import store_artefact

pytestmark = pytest.mark.django_db


def age(path: Path, seconds: float = GRACE + 60) -> Path:
    moment = time.time() - seconds
    os.utime(path, (moment, moment))
    return path


def upload(content: bytes = b"orphan") -> Path:
    return stored_path(store_artefact(SimpleUploadedFile("app.war", content)).sha256)


def test_an_upload_without_a_row_goes_after_a_day() -> None:
    path = upload()
    assert remove_orphans() == 0 and path.exists()
    age(path, GRACE - 60)
    assert remove_orphans() == 0 and path.exists()
    age(path)
    assert remove_orphans() == len(b"orphan") and not path.exists()


def test_what_is_stored_again_begins_anew() -> None:
    path = age(upload())
    assert upload() == path
    assert remove_orphans() == 0 and path.exists()


def test_what_rows_name_stays_however_old() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    record = ManualRecord.objects.create(task=task, author=tenant.pm, done_at=now(), text="손으로")
    shown = store_artefact(SimpleUploadedFile("log.txt", b"evidence"))
    Evidence.objects.create(record=record, name="log.txt", size=8, sha256=shown.sha256)
    tree = _tree()
    document = canonical_bytes({"artefacts": [{"tree_sha256": tree.name}]}).decode()
    Plan.objects.create(task=task, playbook=plan.playbook, digest="0" * 64, document=document)
    named = [stored_path(task.artefacts.get().sha256), stored_path(shown.sha256), tree]
    for path in (*named, upload()):
        age(path)
    assert remove_orphans() == len(b"orphan")
    assert all(path.exists() for path in named)


def _tree() -> Path:
    """The tar that a plan makes of an archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", "안녕하세요")
    zipped = upload(packed.getvalue())
    return stored_path(as_tar(zipped)["tree_sha256"])


def test_a_tree_that_no_plan_names_goes_and_one_made_again_stays() -> None:
    tree = age(_tree())
    assert _tree() == tree and remove_orphans() == 0, "made again by a plan that isn't committed yet"
    age(tree)
    assert remove_orphans() > 0 and not tree.exists()


def test_drafts_of_killed_processes_go_and_the_lock_stays(settings: Any) -> None:
    upload()
    store = Path(settings.GUARDIA_ARTEFACTS)
    draft, fresh = store / ".upload-abc", store / ".tree-def"
    draft.write_bytes(b"half")
    fresh.write_bytes(b"half")
    age(draft)
    age(store / ".lock")
    assert remove_orphans() == 4
    assert not draft.exists() and fresh.exists() and (store / ".lock").exists()


def test_a_refused_request_leaves_bytes_for_a_day_at_most(settings: Any) -> None:
    tenant = Tenant()
    with pytest.raises(UnknownServer):
        file_task(
            actor=tenant.site_manager,
            text="배포",
            channel=Channel.API,
            artefact=SimpleUploadedFile("app.war", b"bytes"),
            hostnames=["no-such-host"],
        )
    assert not stored_path(hashlib.sha256(b"bytes").hexdigest()).exists(), "refused before it was stored"


def test_a_gateways_home_and_an_empty_one_are_left_alone(settings: Any) -> None:
    assert remove_orphans() == 0
    path = age(upload())
    settings.GUARDIA_GATEWAY = "MOEF/busan"
    assert remove_orphans() == 0 and path.exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_stored_while_orphans_go_is_there_afterwards() -> None:
    """Each round the file is an old orphan when the clean-up looks, and is stored anew meanwhile."""
    over, failures = threading.Event(), []

    def clean() -> None:
        from django.db import connection

        while not over.is_set():
            remove_orphans()
        connection.close()

    cleaner = threading.Thread(target=clean)
    cleaner.start()
    try:
        for number in range(200):
            content = b"shared %d" % (number % 3)
            path = stored_path(hashlib.sha256(content).hexdigest())
            if path.exists():
                try:
                    age(path)
                except FileNotFoundError:
                    continue
            if not upload(content).exists():
                failures.append(number)
    finally:
        over.set()
        cleaner.join(timeout=30)
    assert failures == []


def test_every_model_that_names_a_stored_file_is_asked() -> None:
    named = {
        model._meta.label
        for model in apps.get_models()
        if any(field.name == "sha256" for field in model._meta.get_fields())
    }
    assert named == {"tickets.Artefact", "governance.Evidence", "execution.CoreLog"}, (
        "the last keeps its text in its row"
    )
