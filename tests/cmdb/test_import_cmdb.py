"""Taking an inventory in: again without a difference, all of it or nothing, the bad row named."""

import copy
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.choices import Role
from accounts.models import Institution
from audit.models import Entry
from cmdb.models import EnvironmentProfile, Server, Site, System
from cmdb.services.import_cmdb import ImportReport, import_cmdb
from guardia.common.errors import InvalidInput, NotPermitted
from tests.factories import make_credential, make_institution, make_user
from tests.snapshot import nothing_changes, snapshot

pytestmark = pytest.mark.django_db
SAMPLE: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "cmdb.json").read_text())
_ROWS = ("institutions", "systems", "servers")


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    data = copy.deepcopy(SAMPLE)
    change(data)
    return data


def test_the_sample_goes_in_whole() -> None:
    report = import_cmdb(actor=make_user(Role.OPERATOR), data=SAMPLE)
    counts = [len(SAMPLE[kind]) for kind in _ROWS]
    assert report == ImportReport(counts[0], len(SAMPLE.get("sites", [])), counts[1], counts[2])
    assert [model.objects.count() for model in (Institution, System, Server)] == counts
    for row in SAMPLE["servers"]:
        server = Server.objects.get(hostname=row["hostname"])
        assert (server.address, server.role, server.system.code) == (row["ip"], row["role"], row["system"])
        assert server.host_keys == [], "nothing connects before a key is pinned"
    entry = Entry.objects.get(action="cmdb.imported")
    assert json.loads(entry.body)["facts"]["servers"] == counts[2]


def test_the_same_file_again_changes_nothing_but_the_chain() -> None:
    operator = make_user(Role.OPERATOR)

    def rows() -> dict[str, Any]:
        kept = {k: v for k, v in snapshot().items() if k.startswith(("cmdb.", "accounts.Inst"))}
        return {k: [{n: x for n, x in row.items() if n != "changed_at"} for row in v] for k, v in kept.items()}

    import_cmdb(actor=operator, data=SAMPLE)
    first = rows()
    import_cmdb(actor=operator, data=SAMPLE)
    assert rows() == first
    import_cmdb(actor=operator, data=changed(lambda data: data["systems"][0].update(name="새 이름")))
    assert System.objects.get(code=SAMPLE["systems"][0]["code"]).name == "새 이름"


def test_what_people_pinned_is_kept_by_a_file_that_does_not_speak_of_it() -> None:
    operator, name = make_user(Role.OPERATOR), SAMPLE["servers"][0]["hostname"]
    import_cmdb(actor=operator, data=SAMPLE)
    server = Server.objects.get(hostname=name)
    server.host_keys, server.credential = (
        ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"],
        make_credential(server.system.institution),
    )
    server.ssh_port, server.home_dir = 2222, "/srv/was"
    institution = server.system.institution
    server.site = Site.objects.create(institution=institution, code="CRITICAL", name="본청", tier=1)
    server.profile = EnvironmentProfile.objects.create(institution=institution, name="jboss")
    server.save()
    import_cmdb(actor=operator, data=SAMPLE)
    again = Server.objects.get(hostname=name)
    for field in ("host_keys", "credential_id", "ssh_port", "home_dir", "site_id", "profile_id"):
        assert getattr(again, field) == getattr(server, field), field


def test_jump_hosts_are_named_in_any_order_and_taken_away() -> None:
    operator, data = make_user(Role.OPERATOR), copy.deepcopy(SAMPLE)
    first = data["servers"][0]
    other = next(row for row in data["servers"][1:] if row["system"] == first["system"])
    first["jump"] = other["hostname"]
    import_cmdb(actor=operator, data=data)
    assert Server.objects.get(hostname=first["hostname"]).jump == Server.objects.get(hostname=other["hostname"])
    import_cmdb(actor=operator, data=SAMPLE)
    assert Server.objects.get(hostname=first["hostname"]).jump is not None
    first["jump"] = ""
    import_cmdb(actor=operator, data=data)
    assert Server.objects.get(hostname=first["hostname"]).jump is None


BAD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "institution without a name": lambda data: data["institutions"][-1].pop("name"),
    "institution without a code": lambda data: data["institutions"][-1].pop("code"),
    "institution that is text": lambda data: data["institutions"].append("MOEF"),
    "institution that is null": lambda data: data["institutions"].append(None),
    "institutions that are text": lambda data: data.update(institutions="all"),
    "institutions that are a number": lambda data: data.update(institutions=7),
    "code too long": lambda data: data["institutions"][-1].update(code="C" * 33),
    "code that is a list": lambda data: data["institutions"][-1].update(code=["a"]),
    "aliases that are text": lambda data: data["systems"][-1].update(aliases="예산"),
    "aliases that are numbers": lambda data: data["systems"][-1].update(aliases={"a": 1}),
    "unknown institution": lambda data: data["systems"][-1].update(institution="NOWHERE"),
    "institution as a list": lambda data: data["systems"][-1].update(institution=["MOEF"]),
    "unknown system": lambda data: data["servers"][-1].update(system="NOWHERE"),
    "unknown credential": lambda data: data["servers"][-1].update(credential="nobody's"),
    "address that is none": lambda data: data["servers"][-1].update(ip="10.0.0"),
    "address that is a number": lambda data: data["servers"][-1].update(ip=7),
    "no address": lambda data: data["servers"][-1].pop("ip"),
    "unknown role": lambda data: data["servers"][-1].update(role="mainframe"),
    "port out of range": lambda data: data["servers"][-1].update(ssh_port=65536),
    "port that is text": lambda data: data["servers"][-1].update(ssh_port="ssh"),
    "number that is huge": lambda data: data["servers"][-1].update(number=10**9),
    "home that is relative": lambda data: data["servers"][-1].update(home_dir="app"),
    "NUL in a name": lambda data: data["servers"][-1].update(hostname="a\x00"),
    "unknown tier": lambda data: data.update(
        sites=[{"code": "S", "name": "s", "institution": data["institutions"][0]["code"], "tier": 9}]
    ),
    "unknown site": lambda data: data["servers"][-1].update(site="NOWHERE"),
    "unknown jump host": lambda data: data["servers"][-1].update(jump="nowhere"),
    "a server behind itself": lambda data: data["servers"][-1].update(jump=data["servers"][-1]["hostname"]),
    "jump host that is a list": lambda data: data["servers"][-1].update(jump=["a"]),
    "site as a list": lambda data: data["servers"][-1].update(site=["S"]),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_named_and_nothing_is_kept(case: str) -> None:
    operator = make_user(Role.OPERATOR)
    with nothing_changes(), pytest.raises(InvalidInput):
        import_cmdb(actor=operator, data=changed(BAD[case]))


@pytest.mark.parametrize("data", [[], None, "text", 7, {"servers": {"a": 1}}], ids=str)
def test_a_document_of_another_form_is_refused(data: Any) -> None:
    operator = make_user(Role.OPERATOR)
    with nothing_changes(), pytest.raises(InvalidInput):
        import_cmdb(actor=operator, data=data)


def test_the_bad_row_is_named(in_english: None) -> None:
    name = SAMPLE["servers"][-1]["hostname"]
    with pytest.raises(InvalidInput) as refused:
        import_cmdb(actor=make_user(Role.OPERATOR), data=changed(BAD["unknown role"]))
    assert f"servers “{name}”" in str(refused.value) and "mainframe" in str(refused.value)


def test_another_institutions_credential_cannot_be_named() -> None:
    credential = make_credential(make_institution())
    operator = make_user(Role.OPERATOR)
    data = changed(lambda data: data["servers"][-1].update(credential=credential.name))
    with nothing_changes(), pytest.raises(InvalidInput):
        import_cmdb(actor=operator, data=data)


def test_only_operators_of_all_institutions_import() -> None:
    institution = make_institution()
    actors = [make_user(Role.OPERATOR, institution), make_user(Role.PM), make_user()]
    with nothing_changes():
        for actor in actors:
            with pytest.raises(NotPermitted):
                import_cmdb(actor=actor, data=SAMPLE)


def test_the_command_says_what_came_in_and_what_is_wrong(tmp_path: Path) -> None:
    operator = make_user(Role.OPERATOR)
    good, bad = tmp_path / "cmdb.json", tmp_path / "bad.json"
    good.write_text(json.dumps(SAMPLE))
    out = StringIO()
    call_command("import_cmdb", str(good), "--as", operator.username, stdout=out)
    assert f"{len(SAMPLE['servers'])} servers" in out.getvalue() and Site.objects.exists()
    with nothing_changes():
        for content in (b"{", b"\xff", b"[]", b"7"):
            bad.write_bytes(content)
            with pytest.raises(CommandError):
                call_command("import_cmdb", str(bad), "--as", operator.username)
        with pytest.raises(CommandError):
            call_command("import_cmdb", str(good), "--as", "nobody")
