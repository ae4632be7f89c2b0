"""Every page of every model in the admin, for people of another tenant and for strangers."""

from collections.abc import Callable
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import reverse

from accounts.choices import Role
from accounts.models import Membership, User
from audit.models import Chain, DataKey, Entry
from execution.models import Healing, HostKeyScan, HostLock, HostRun, PlaybookChoice, ServerFacts
from governance.models import ApprovalStep, SystemOwner
from notifications.models import Notification
from tests.doors import browser
from tests.factories import make_user
from tests.guardia.test_tenancy_doors import is_of_a_model
from tests.guardia.urls_of import all_patterns
from tests.guardia.world import Neighbour, Zebra, assert_unseen
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db


def data_key_of(zebra: Zebra) -> DataKey:
    return DataKey.objects.filter(chain__key=f"institution:{zebra.institution.code}").earliest("pk")


#: model with pages in the admin → one of its rows that belongs to the second tenant
ROWS: dict[str, Callable[[Zebra], Model]] = {
    "accounts.Institution": lambda zebra: zebra.institution,
    "accounts.User": lambda zebra: zebra.site_manager,
    "audit.Chain": lambda zebra: Chain.objects.get(key="institution:ZEBRA-CODE"),
    "audit.Entry": lambda zebra: Entry.objects.filter(task_id=zebra.task.task_id).earliest("pk"),
    "audit.DataKey": lambda zebra: data_key_of(zebra),
    "audit.Checkpoint": lambda zebra: zebra.checkpoint,
    "audit.IntegrityHold": lambda zebra: zebra.hold,
    "audit.Verification": lambda zebra: zebra.verification,
    "auditlog.LogEntry": lambda zebra: LogEntry.objects.filter(object_repr__icontains=zebra.task.task_id)[0],
    "cmdb.Balancer": lambda zebra: zebra.balancer,
    "cmdb.Credential": lambda zebra: zebra.institution.credentials.all()[0],
    "cmdb.Database": lambda zebra: zebra.database,
    "cmdb.EnvironmentProfile": lambda zebra: zebra.institution.profiles.all()[0],
    "cmdb.Gateway": lambda zebra: zebra.gateway,
    "cmdb.Server": lambda zebra: zebra.servers[0],
    "cmdb.Site": lambda zebra: zebra.institution.sites.all()[0],
    "cmdb.System": lambda zebra: zebra.system,
    "execution.Halt": lambda zebra: zebra.halt,
    "execution.Healing": lambda zebra: Healing.objects.get(check_run=zebra.run),
    "execution.HostKeyScan": lambda zebra: HostKeyScan.objects.get(server=zebra.servers[0]),
    "execution.HostLock": lambda zebra: HostLock.objects.get(run=zebra.run),
    "execution.HostRun": lambda zebra: HostRun.objects.get(wave__run=zebra.run),
    "execution.Plan": lambda zebra: zebra.plan,
    "execution.PlaybookChoice": lambda zebra: PlaybookChoice.objects.get(system=zebra.system),
    "execution.Run": lambda zebra: zebra.run,
    "execution.ServerFacts": lambda zebra: ServerFacts.objects.get(server=zebra.servers[0]),
    "governance.AccessRange": lambda zebra: zebra.range,
    "governance.ChangeWindow": lambda zebra: zebra.window,
    "governance.ExtraHoliday": lambda zebra: zebra.holiday,
    "governance.Freeze": lambda zebra: zebra.freeze,
    "governance.FreezeException": lambda zebra: zebra.exception,
    "governance.Absence": lambda zebra: zebra.absence,
    "governance.StepQuestion": lambda zebra: zebra.question,
    "governance.ApprovalStep": lambda zebra: ApprovalStep.objects.filter(round__task=zebra.task)[0],
    "governance.ResultReview": lambda zebra: zebra.task.result_reviews.all()[0],
    "governance.StandingApproval": lambda zebra: zebra.standing,
    "governance.ChangeReview": lambda zebra: zebra.change,
    "governance.ManualRecord": lambda zebra: zebra.task.manual_records.all()[0],
    "governance.Takeover": lambda zebra: zebra.task.takeovers.all()[0],
    "governance.SystemOwner": lambda zebra: SystemOwner.objects.get(system=zebra.system),
    "notifications.Notification": lambda zebra: Notification.objects.filter(recipient=zebra.pm)[0],
    "tickets.OpsTask": lambda zebra: zebra.task,
}
#: These belong to no tenant.
OF_ALL = {"governance.ApprovalPolicy", "execution.Playbook"}
#: Pages beside the usual ones: pattern → path
MORE = {
    "admin/audit/chain/verify/": "/admin/audit/chain/verify/",
    "admin/audit/chain/export/": "/admin/audit/chain/export/",
    "admin/audit/checkpoint/make/": "/admin/audit/checkpoint/make/",
    "admin/governance/changereview/export/": "/admin/governance/changereview/export/",
}
#: The same for acts on one row: pattern → row → path.
MORE_OF_ROWS: dict[str, Callable[[Zebra], str]] = {
    "admin/audit/entry/<path:object_id>/proof/": lambda z: f"/admin/audit/entry/{z.task_entry.pk}/proof/",
    "admin/audit/datakey/<path:object_id>/propose/": lambda z: f"/admin/audit/datakey/{data_key_of(z).pk}/propose/",
    "admin/audit/datakey/<path:object_id>/decide/": lambda z: f"/admin/audit/datakey/{data_key_of(z).pk}/decide/",
    "admin/audit/integrityhold/<path:object_id>/propose/": lambda z: f"/admin/audit/integrityhold/{z.hold.pk}/propose/",
    "admin/audit/integrityhold/<path:object_id>/decide/": lambda z: f"/admin/audit/integrityhold/{z.hold.pk}/decide/",
}
USUAL = ("", "add/", "<path:object_id>/", *(f"<path:object_id>/{page}/" for page in ("history", "delete", "change")))
SEES_ALL = {
    "auditlog.LogEntry",
    "audit.Checkpoint",
    "audit.Verification",
}  # pages for those who see every institution only


def pages_of(row: Model) -> list[str]:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    return [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history", "delete")]


def lists_of(label: str) -> list[str]:
    path = reverse(f"admin:{label.replace('.', '_').lower()}_changelist")
    return [path, f"{path}?q=e", f"{path}add/", f"{path}?e=1"]


def test_every_page_of_every_model_is_listed() -> None:
    registered = {model._meta.label for model in admin.site._registry}
    assert registered == set(ROWS) | OF_ALL
    usual = {f"admin/{label.replace('.', '/').lower()}/{page}" for label in registered for page in USUAL}
    apps = {pattern for pattern in all_patterns() if "app_label" in pattern}
    assert len(apps) == 1
    assert {pattern for pattern in all_patterns() if is_of_a_model(pattern)} == usual | set(MORE) | set(
        MORE_OF_ROWS
    ) | apps


def test_strangers_and_site_managers_do_not_enter_the_admin() -> None:
    zebra = Zebra()
    for client in (browser(), browser(zebra.site_manager)):
        for label, row in ROWS.items():
            for path in [*lists_of(label), *pages_of(row(zebra))]:
                response = client.get(path)
                assert response.status_code == 302 and "/admin/login/" in response["Location"], path
        for path in MORE.values():
            assert client.post(path).status_code == 302


def test_lists_and_forms_show_nothing_of_the_other_tenant() -> None:
    Zebra()
    neighbour = Neighbour()
    apps = [f"/admin/{label}/" for label in {label.partition(".")[0] for label in ROWS}]
    for role, person in neighbour.people.items():
        if role == Role.SITE_MANAGER:
            continue
        client = browser(person)
        for path in [*apps, *(path for label in {*ROWS, *OF_ALL} for path in lists_of(label))]:
            response = client.get(path, follow=True)
            assert response.status_code in (200, 403, 404), (path, response.status_code)
            assert_unseen(response.content, (role, path))
        for path in MORE.values():
            response = client.post(path)
            assert response.status_code in (200, 400, 403)
            assert_unseen(b"".join(response) if response.streaming else response.content, (role, path))


def test_pages_of_the_other_tenants_rows_are_not_there(settings: Any) -> None:
    settings.GUARDIA_RATE_REQUESTS = settings.GUARDIA_RATE_FORMS = "off"  # one person asks for all of them
    zebra, neighbour = Zebra(), Neighbour()
    rows = [row(zebra) for row in ROWS.values()]
    for role in (Role.TEAM_LEAD, Role.PM, Role.OPERATOR):
        client = browser(neighbour.people[role])
        with nothing_changes():
            for row in rows:
                elsewhere = f"/admin/r/{ContentType.objects.get_for_model(row).pk}/{row.pk}/"
                for path in [*pages_of(row), elsewhere]:
                    for response in (client.get(path), client.post(path, {"post": "yes"})):
                        if response.status_code == 302:
                            assert response["Location"] == "/admin/", path
                        else:
                            assert response.status_code in (403, 404, 405), (role, path, response.status_code)
                        assert_unseen(response.content, (role, path))


def test_acts_on_the_other_tenants_rows_are_not_there() -> None:
    zebra, neighbour = Zebra(), Neighbour()
    for role, person in neighbour.people.items():
        client = browser(person)
        with nothing_changes():
            for path in (of_row(zebra) for of_row in MORE_OF_ROWS.values()):
                response = client.post(path, {"reason": "왜", "decision": "accept"})
                assert response.status_code in (302, 403, 404), (role, path)
                assert response.status_code != 302 or "/admin/login/" in response["Location"]
                assert_unseen(response.content, (role, path))


def test_own_people_and_those_who_see_all_do_see_the_rows() -> None:
    """The control: the same pages open for those they are for."""
    zebra = Zebra()
    own, everybody = browser(zebra.pm), browser(make_user(is_superuser=True, is_staff=True))
    for label, row in ROWS.items():
        path = pages_of(row(zebra))[0]
        assert own.get(path).status_code == (403 if label in SEES_ALL else 200), path
        if label != "notifications.Notification":
            assert everybody.get(path).status_code == 200, path
        assert everybody.get(lists_of(label)[0]).status_code == 200, label


def test_a_colleagues_other_institutions_are_not_shown() -> None:
    zebra, neighbour = Zebra(), Neighbour()
    colleague = make_user(Role.PM, neighbour.institution)
    Membership.objects.create(user=colleague, institution=zebra.institution, role=Role.AUDITOR)
    response = browser(neighbour.pm).get(f"/admin/accounts/user/{colleague.pk}/change/")
    assert response.status_code == 200 and neighbour.institution.name in response.content.decode()
    assert_unseen(response.content, "memberships")


def test_an_operators_role_ends_at_the_institution_it_was_given_for() -> None:
    """Operator here and site manager there: there, nothing in the CMDB can be changed or added."""
    zebra, neighbour = Zebra(), Neighbour()
    operator: User = neighbour.people[Role.OPERATOR]
    Membership.objects.create(user=operator, institution=zebra.institution, role=Role.SITE_MANAGER)
    client = browser(operator)
    theirs, own = zebra.institution.sites.all()[0], neighbour.institution.sites.all()[0]
    form: dict[str, Any] = {"code": "TAKEN", "name": "taken", "tier": 3}
    with nothing_changes():
        path = f"/admin/cmdb/site/{theirs.pk}/change/"
        assert client.post(path, {**form, "institution": theirs.institution_id}).status_code == 403
        client.post("/admin/cmdb/site/add/", {**form, "institution": theirs.institution_id})
        client.post(f"/admin/cmdb/site/{own.pk}/change/", {**form, "institution": theirs.institution_id})
    path = f"/admin/cmdb/site/{own.pk}/change/"
    assert client.post(path, {**form, "institution": own.institution_id}).status_code == 302
    own.refresh_from_db()
    assert own.name == "taken"


def test_the_models_diffs_are_for_those_who_see_every_institution() -> None:
    zebra = Zebra()
    assert LogEntry.objects.exists()
    for person in (zebra.pm, zebra.security, make_user(Role.AUDITOR), make_user(is_staff=True)):
        assert browser(person).get("/admin/auditlog/logentry/").status_code == 403
