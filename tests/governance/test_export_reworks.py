"""Reworks as JSON Lines: what was asked, what came, what was said, what came then; masked, scoped, in the chain."""

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from audit.models import Entry
from governance.services.export_reworks import export_reworks
from guardia.common.clock import now
from guardia.common.errors import NotPermitted
from tests.doors import browser
from tests.governance.test_change_review import DIFF, Change
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db
EXPORT = "/admin/governance/changereview/export/"


def reworked() -> Change:
    change = Change()
    change.submit(DIFF.format("password=hunter22"), prompt="token: abcdef123456", settings={"password": "hunter22"})
    change.review("rework", "비밀번호: hunter22 를 쓰지 마세요")
    change.submit(DIFF.format(2))
    return change


def lines_for(actor: User, **options: Any) -> list[dict[str, Any]]:
    out = io.BytesIO()
    export = export_reworks(actor=actor, out=out, **options)
    lines = out.getvalue().splitlines()
    assert (export.lines, export.sha256) == (len(lines), hashlib.sha256(out.getvalue()).hexdigest())
    return [json.loads(line) for line in lines]


def test_a_line_has_both_diffs_and_no_secret() -> None:
    change = reworked()
    (line,) = lines_for(change.pm)
    assert list(line) == ["request", "context", "diff", "instruction", "next_diff"]
    assert line["request"] == change.task.text and line["next_diff"] == DIFF.format(2)
    assert "쓰지 마세요" in line["instruction"] and line["context"]["settings"] == {"password": "********"}
    assert "hunter22" not in json.dumps(line) and "abcdef123456" not in json.dumps(line)


def test_only_ones_own_institutions_and_only_since() -> None:
    change, other = reworked(), reworked()
    assert len(lines_for(change.pm)) == 1
    assert lines_for(change.pm, since=now() + timedelta(days=1)) == []
    with nothing_changes():
        for person, wanted in ((change.owner, None), (change.site_manager, None), (change.pm, other.institution)):
            with pytest.raises(NotPermitted):
                export_reworks(actor=person, out=io.BytesIO(), institution=wanted)


def test_the_chain_keeps_who_took_which_file() -> None:
    change = reworked()
    response = browser(change.pm).post(EXPORT, {"since": "2020-01-01"})
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]  # it is a FileResponse
    entry = Entry.objects.get(action="reworks.exported")
    facts = json.loads(entry.body)["facts"]
    assert (facts["file_sha256"], facts["lines"]) == (hashlib.sha256(content).hexdigest(), 1)
    assert entry.chain.key == f"institution:{change.institution.code}"
    owner, pm = browser(change.owner), browser(change.pm)
    with nothing_changes():
        refused = owner.post(EXPORT)
        assert refused.status_code == 403 and str(change.pm) in refused.content.decode()
        assert pm.get(EXPORT).status_code == 405


def test_the_command(tmp_path: Path) -> None:
    change = reworked()
    given = {"username": change.pm.username, "institution": change.institution.code, "since": "2020-01-01"}
    call_command("export_reworks", output=tmp_path / "a.jsonl", **given)
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 1
    for wrong in ({"username": "nobody"}, {"institution": "NONE"}, {"since": "yesterday"}, {"since": "2026-13-01"}):
        with pytest.raises(CommandError):
            call_command("export_reworks", output=tmp_path / "b.jsonl", **{**given, **wrong})
    with pytest.raises(CommandError):
        call_command("export_reworks", output=tmp_path / "a.jsonl", **given)
