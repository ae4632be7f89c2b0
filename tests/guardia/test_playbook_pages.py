"""The pages of playbooks and the form of a new request with a playbook's fields."""

import hashlib
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.choices import Role
from accounts.exceptions import OutsideBastion
from audit.models import Entry
from execution.exceptions import PlaybookInvalid
from execution.models import Playbook, PlaybookChoice
from execution.playbooks.choose import choose_playbook
from execution.playbooks.publish import publish_playbook
from governance.models import AccessRange
from guardia.common.context import traced
from guardia.common.errors import NotPermitted
from tests.doors import browser
from tests.factories import Tenant, make_user
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db
NEW = """name: custom-look
version: 1
sub_type: MEMORY_CHECK
needs: []
strategy: {batches: ["100%"]}
steps:
  - check_memory: {}
"""


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("everywhere", [False, True])
def test_only_operators_and_administrators_of_all_institutions_publish(role: Role, everywhere: bool) -> None:
    tenant = Tenant(servers=0)
    person = make_user(role, None if everywhere else tenant.institution)
    if everywhere and role in (Role.OPERATOR, Role.ADMINISTRATOR):
        publish_playbook(actor=person, source=NEW)
        assert Entry.objects.filter(action="playbook.published").latest("pk").actor.endswith(person.username)
        return
    with nothing_changes(), pytest.raises(NotPermitted):
        publish_playbook(actor=person, source=NEW)
    assert browser(person).get("/playbooks/new/").status_code == 404


def test_publishing_is_an_act_for_the_named_networks() -> None:
    operator = make_user(Role.OPERATOR)
    AccessRange.objects.create(label="bastion", cidr="10.9.0.0/16")
    with traced(channel="portal", source_ip="10.8.0.1"), pytest.raises(OutsideBastion):
        publish_playbook(actor=operator, source=NEW)
    assert not Playbook.objects.exists()
    assert Entry.objects.latest("pk").action == "access.refused"


def test_a_text_is_checked_published_shown_and_downloaded(in_english: None) -> None:
    Tenant(servers=0)
    client = browser(make_user(Role.OPERATOR))
    bad = client.post("/playbooks/new/", {"source": NEW.replace("check_memory", "check_memroy")})
    assert bad.status_code == 400 and "Line 7: there is no step “check_memroy”" in bad.content.decode()
    assert (
        "nothing was published"
        in client.post("/playbooks/new/", {"source": NEW, "check": "yes"}).content.decode().lower()
    )
    assert not Playbook.objects.filter(name="custom-look").exists()
    done = client.post("/playbooks/new/", {"source": NEW}, follow=True)
    assert done.redirect_chain[-1][0] == "/playbooks/custom-look/1/"
    assert "Check memory" in done.content.decode()
    text = client.get("/playbooks/custom-look/1.yaml").content
    assert hashlib.sha256(text).hexdigest() == Playbook.objects.get(name="custom-look").digest
    again = client.post("/playbooks/new/", {"source": NEW + "# other\n"})
    assert again.status_code == 400 and "is published already" in again.content.decode()
    assert client.get("/playbooks/custom-look/2/").status_code == 404


def test_a_dry_run_shows_every_command_for_ones_own_servers_alone(in_english: None) -> None:
    tenant, other = Tenant(servers=2), Tenant(servers=1)
    client = browser(tenant.owner)
    names = ", ".join(server.hostname for server in [*tenant.servers, *other.servers])
    page = client.get("/playbooks/log-analysis/", {"host": names, "param-texts": "a'b\n$(id)", "param-mib": "4"})
    text = page.content.decode()
    assert page.status_code == 200 and text.count("<summary>") == 2
    assert all(server.hostname in text for server in tenant.servers)
    assert f"<summary>{other.servers[0].hostname}" not in text
    refused = client.get("/playbooks/log-analysis/", {"host": names, "param-mib": "lots"})
    assert refused.status_code == 400 and "doesn&#x27;t fit" in refused.content.decode()
    assert client.get("/playbooks/log-analysis/", {"host": "nowhere"}).status_code == 400


def test_the_commands_export_check_import_and_plan(tmp_path: Any, capsys: Any, in_english: None) -> None:
    tenant, operator = Tenant(servers=1), make_user(Role.OPERATOR)
    count = Playbook.objects.count()
    call_command("playbooks", "export", str(tmp_path))
    files = sorted(tmp_path.glob("*.yaml"))
    assert len(files) == count
    call_command("playbooks", "import", *map(str, files), "--as", operator.username)
    assert Playbook.objects.count() == count
    (tmp_path / "new.yaml").write_text(NEW)
    call_command("playbooks", "check", str(tmp_path / "new.yaml"))
    assert Playbook.objects.count() == count
    with pytest.raises(CommandError, match="Operators and administrators"):
        call_command("playbooks", "import", str(tmp_path / "new.yaml"), "--as", tenant.pm.username)
    (tmp_path / "bad.yaml").write_text(NEW.replace("version: 1", "version: x"))
    with pytest.raises(CommandError, match="Line 2"):
        call_command("playbooks", "check", str(tmp_path / "bad.yaml"))
    capsys.readouterr()
    host = tenant.servers[0].hostname
    with nothing_changes():
        call_command("plan_playbook", "backup", "--host", host, "--param", "path=/srv/a b")
        with pytest.raises(CommandError, match="doesn't fit"):
            call_command("plan_playbook", "backup", "--host", host, "--param", "path=relative")
        with pytest.raises(CommandError, match="needs a file"):
            call_command("plan_playbook", "static-sync", "--host", host)
    out = capsys.readouterr().out
    assert f"wave 1: {host}" in out and "make '/srv/a b' /srv/app/backup/OPS-00000000-000.tar.gz" in out and "↶" in out


def fields(tenant: Tenant, **more: str) -> dict[str, str]:
    hosts = ", ".join(server.hostname for server in tenant.servers)
    return {"kind": "PORT_OPEN", "text": "방화벽 작업", "system": tenant.system.code, "servers": hosts, **more}


def test_a_request_by_its_fields_is_planned_with_them(in_english: None) -> None:
    tenant = Tenant(servers=1)
    client = browser(tenant.site_manager)
    assert "param-port" in client.get("/tasks/new/?kind=PORT_OPEN").content.decode()
    done = client.post("/tasks/new/", fields(tenant, **{"param-port": "8443", "param-protocol": "udp"}))
    assert done.status_code == 302
    task = OpsTask.objects.get()
    assert (task.status, task.sub_type, task.category) == ("PAR", "PORT_OPEN", "INFRA_CONTROL")
    assert task.params == {"port": 8443, "protocol": "udp"}
    from execution.plan.prepare import prepare_plan

    plan = prepare_plan(task.pk)
    assert plan is not None and plan.content["params"] == {"port": 8443, "protocol": "udp", "source": ""}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"param-port": "99999"}, "doesn&#x27;t fit"),
        ({"param-port": ""}, "This field is required"),
        ({"servers": "nowhere"}, "There is no server"),
        ({"system": "NOT-MINE"}, "Select a valid choice"),
        ({"param-source": "anywhere; reboot"}, "doesn&#x27;t fit"),
        ({"text": ""}, "This field is required"),
    ],
)
def test_fields_that_do_not_fit_file_nothing(change: dict[str, str], words: str, in_english: None) -> None:
    tenant = Tenant(servers=1)
    client = browser(tenant.site_manager)
    with nothing_changes():
        answer = client.post("/tasks/new/", fields(tenant, **{"param-port": "80", **change}))
    assert answer.status_code == 400 and words in answer.content.decode()


def test_the_text_fills_in_the_fields(in_english: None) -> None:
    tenant = Tenant(servers=1)
    text = f"{tenant.system.name} {tenant.servers[0].hostname} 서버 8443 포트 10.1.2.0/24 에서 접근 열어 주세요 TCP"
    client = browser(tenant.site_manager)
    with nothing_changes():
        page = client.post("/tasks/new/", {"text": text, "read": "yes"}).content.decode()
    assert 'name="kind" value="PORT_OPEN"' in page
    assert 'value="8443"' in page and 'value="10.1.2.0/24"' in page
    assert f'value="{tenant.system.code}" selected' in page


def test_wrong_parameters_of_a_text_go_to_people_with_the_reason(in_english: None) -> None:
    tenant = Tenant(servers=1)
    task = tenant.file()
    OpsTask.objects.filter(pk=task.pk).update(sub_type="PORT_OPEN", params={"ports": [1, 2]})
    from execution.plan.prepare import prepare_plan

    assert prepare_plan(task.pk) is None
    assert "“Port” is missing" in OpsTask.objects.get(pk=task.pk).reason


def test_a_playbook_that_is_no_playbook_is_not_published() -> None:
    with pytest.raises(PlaybookInvalid):
        publish_playbook(actor="test", source="name: x")


def _buttons(text: str) -> list[str]:
    section = text.split('id="systems"')[1].split("</section>")[0]
    return [part.split("<")[0] for part in section.split('name="playbook"')[1:] for part in [part.split(">", 1)[1]]]


def test_an_operator_chooses_the_version_for_a_system_and_takes_it_back(in_english: None) -> None:
    tenant = Tenant(servers=1)
    first = Playbook.objects.get(name="backup")
    second = publish_playbook(actor="test", source=first.source.replace("version: 1", "version: 2"))
    client = browser(make_user(Role.OPERATOR, tenant.institution))
    page, act = "/playbooks/backup/1/", "/playbooks/backup/1/choose/"
    assert _buttons(client.get(page).content.decode()) == ["Use v1"]

    def choose(playbook: Playbook | None) -> list[str]:
        given = {"system": tenant.system.pk, "playbook": playbook.pk if playbook else ""}
        done = client.post(act, given, follow=True)
        assert done.redirect_chain[-1][0].startswith(page)
        return _buttons(done.content.decode())

    assert choose(first) == ["Always the newest"]
    assert choose(second) == ["Use v1", "Always the newest"], "v1, the former, is this page's"
    assert "Back to backup v1" in client.get("/playbooks/backup/2/").content.decode()
    assert choose(first) == ["Back to backup v2", "Always the newest"]
    assert choose(None) == ["Use v1"] and not PlaybookChoice.objects.exists()
    bodies = [entry.body for entry in Entry.objects.filter(action="playbook.chosen").order_by("pk")]
    formers = ["", first.digest, second.digest, first.digest]
    assert all(f'"former_digest":"{digest}"' in body for digest, body in zip(formers, bodies, strict=True))
    with nothing_changes():
        choose(None)
    assert choose(second) and (choice := PlaybookChoice.objects.get()).former is None and choice.playbook == second


@pytest.mark.parametrize("given", ["0", "x", "9" * 30, "-1", "other kind"])
def test_only_a_version_of_its_kind_is_chosen(given: str) -> None:
    tenant = Tenant(servers=1)
    client = browser(make_user(Role.OPERATOR, tenant.institution))
    if given == "other kind":
        given = str(Playbook.objects.get(name="log-analysis").pk)
    with nothing_changes():
        for system, playbook in ((tenant.system.pk, given), (given, "")):
            posted = client.post("/playbooks/backup/1/choose/", {"system": system, "playbook": playbook})
            assert posted.status_code == 404


def test_only_the_systems_operator_is_offered_to_choose(in_english: None) -> None:
    tenant, other = Tenant(servers=0), Tenant(servers=0)
    given = {"system": tenant.system.pk, "playbook": ""}
    operator = make_user(Role.OPERATOR, other.institution)
    named = make_user(Role.OPERATOR, tenant.institution)
    text = browser(tenant.pm).get("/playbooks/backup/").content.decode()
    assert tenant.system.name in text and other.system.name not in text and not _buttons(text)
    refused = browser(tenant.pm).post("/playbooks/backup/1/choose/", given)
    assert refused.status_code == 403 and str(named) in refused.content.decode()
    stranger = browser(operator)
    with nothing_changes():
        assert stranger.post("/playbooks/backup/1/choose/", given).status_code == 404
    assert not PlaybookChoice.objects.exists()


def test_a_version_is_tried_beside_the_one_that_serves_now(in_english: None) -> None:
    tenant, other = Tenant(servers=2), Tenant(servers=1)
    first = Playbook.objects.get(name="log-analysis")
    publish_playbook(actor="test", source=first.source.replace("version: 1", "version: 2"))
    operator = make_user(Role.OPERATOR, tenant.institution)
    choose_playbook(actor=operator, system=tenant.system, playbook=first)
    text = first.source.replace("version: 1", "version: 3").replace("steps:", "steps:\n  - check_memory: {}", 1)
    newer = publish_playbook(actor="test", source=text)
    given = {"host": ", ".join(server.hostname for server in tenant.servers), "param-texts": "ERROR"}
    shown = browser(operator).get("/playbooks/log-analysis/3/", given).content.decode()
    assert "Beside log-analysis v1, which serves now" in shown and "Check memory" in shown.split("Beside")[1]
    assert given["host"] in shown.split("Beside")[1], "what is the same on both is told once"
    out = io.StringIO()
    hosts = [word for server in tenant.servers for word in ("--host", server.hostname)]
    call_command("plan_playbook", "log-analysis", *hosts, "--param", "texts=ERROR", stdout=out)
    told = out.getvalue().split("— beside log-analysis v1")[1]
    assert f"{given['host']}: changed" in told and "      + check_memory\n" in told and "      - " in told
    same = browser(operator).get("/playbooks/log-analysis/1/", given).content.decode()
    assert "Beside" not in same and same.count("<summary>") == 2
    choose_playbook(actor=operator, system=tenant.system, playbook=newer)
    assert "Beside log-analysis v3" in browser(operator).get("/playbooks/log-analysis/1/", given).content.decode()
    everywhere = make_user(Role.OPERATOR)
    given["host"] += f" {other.servers[0].hostname}"
    choose_playbook(actor=everywhere, system=tenant.system, playbook=first)
    both = browser(everywhere).get("/playbooks/log-analysis/2/", given).content.decode()
    assert "Beside log-analysis v1" in both and "Beside log-analysis v3" in both, "each system with its own"


def test_work_that_needs_a_file_is_tried_with_that_of_a_request(in_english: None) -> None:
    tenant, other = Tenant(servers=1), Tenant(servers=1)
    task, _plan = tenant.planned()
    theirs, _plan = other.planned()
    client, page = browser(tenant.pm), "/playbooks/was-rolling/"
    given = {"host": tenant.servers[0].hostname, "task": task.task_id.lower()}
    shown = client.get(page, given).content.decode()
    assert "<summary>" in shown and "/srv/app/bin/shutdown.sh" in shown and "{{" not in shown
    for number in ("", theirs.task_id, "OPS-x", "\x00"):
        with nothing_changes():
            assert client.get(page, {**given, "task": number}).status_code == 400, number


def test_a_text_is_tried_before_it_is_published(in_english: None) -> None:
    tenant = Tenant(servers=1)
    client = browser(make_user(Role.OPERATOR))
    source = Playbook.objects.get(name="log-analysis").source
    begins = "steps:\n  - script: {language: %s, text: '%s', changes: false}"
    newer = source.replace("version: 1", "version: 2")
    text = newer.replace("steps:", begins % ("python", "print(1)"), 1)
    blocked = newer.replace("steps:", begins % ("shell", "rm -rf /"), 1)
    given = {"source": text, "try": "yes", "host": tenant.servers[0].hostname, "given": "texts=ERROR\ntexts=OOM\nmib=4"}
    with nothing_changes():
        shown = client.post("/playbooks/new/", given)
    page = shown.content.decode()
    assert shown.status_code == 200 and "Beside log-analysis v1" in page and "One more approval" in page
    assert "ERROR" in page.split("<summary>")[-1] and "OOM" in page.split("<summary>")[-1]
    for bad in ({"host": ""}, {"host": "nowhere"}, {"given": "mib=lots"}, {"source": blocked}):
        with nothing_changes():
            assert client.post("/playbooks/new/", {**given, **bad}).status_code == 400, bad
