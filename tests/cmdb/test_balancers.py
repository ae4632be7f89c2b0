"""Balancers of a profile: imported by name, of one institution, with nothing in them that a command could misread."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.choices import Role
from audit.models import Entry
from cmdb.models import Balancer, EnvironmentProfile
from cmdb.patterns import filled
from cmdb.services.import_cmdb import import_cmdb
from cmdb.services.save_row import save_row
from guardia.common.errors import InvalidInput, NotPermitted
from tests.doors import browser
from tests.factories import Tenant, make_institution, make_user

pytestmark = pytest.mark.django_db
HOOK = {"kind": "hook", "drain_command": "/opt/l4/ctl out {hostname}", "undrain_command": "/opt/l4/ctl in {hostname}"}


def inventory(**values: Any) -> dict[str, Any]:
    row = {
        "name": "L7", "institution": "A", "profile": "tomcat", "kind": "haproxy", "server": "lb",
        "control": "/run/haproxy/admin.sock", "backend": "was", "member": "was-{number:02}", **values,
    }  # fmt: skip
    servers = [{"hostname": name, "system": "S", "ip": "127.0.0.1", "role": "was"} for name in ("was", "lb")]
    return {
        "institutions": [{"code": "A", "name": "기관"}],
        "systems": [{"code": "S", "institution": "A", "name": "업무"}],
        "servers": servers,
        "balancers": [row],
    }


def test_an_inventory_brings_balancers_and_changes_them() -> None:
    operator = make_user(Role.OPERATOR)
    assert import_cmdb(actor=operator, data=inventory()).balancers == 1
    import_cmdb(actor=operator, data=inventory(server="", control="10.0.0.9:9999", seconds=30))
    row = Balancer.objects.get()
    assert (row.server, row.control, row.seconds, row.others_needed) == (None, "10.0.0.9:9999", 30, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "f5"}, {"control": ""}, {"control": "run/x.sock"}, {"control": "/run/../x"}, {"control": "10.0.0.9:0"},
        {"control": "10.0.0.9:99999"}, {"control": "/run/x; reboot"}, {"control": "-h:1"}, {"control": "/run/x\n"},
        {"backend": ""}, {"backend": "a b"}, {"backend": "-x"}, {"backend": "$(id)"}, {"member": "{home_dir}"},
        {"member": "{hostname.__class__}"}, {"member": "{number:99}"}, {"member": "x;y"}, {"member": "a/b"},
        {"kind": "nginx", "control": "10.0.0.9:80"}, {"kind": "nginx", "program": "/bin/rm"}, {"kind": "hook"},
        {**HOOK, "drain_command": "ctl out"}, {**HOOK, "drain_command": "/opt/ctl 'out"},
        {**HOOK, "drain_command": "/opt/ctl `id`"}, {**HOOK, "undrain_command": "/opt/../bin/rm x"},
        {**HOOK, "used_command": "/opt/ctl {secret}"}, {"server": "nowhere"}, {"profile": "none"}, {"seconds": 99999},
        {"member": ["x"]}, {"institution": "B"},
    ],
)  # fmt: skip
def test_what_a_command_could_misread_is_not_imported(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        import_cmdb(actor=make_user(Role.OPERATOR), data=inventory(**values))
    assert not Balancer.objects.exists()


def test_names_follow_from_the_served_server() -> None:
    tenant = Tenant(servers=1, hostname="was-a", redundancy_group="budget")
    server = tenant.servers[0]
    server.number = 7
    assert filled("{hostname}.{number:02}.{group}:{port}", server) == "was-a.07.budget:8080"
    for name, value in (("hostname", "x; reboot"), ("hostname", "-x"), ("redundancy_group", ""), ("hostname", "a b")):
        setattr(server, name, value)
        with pytest.raises(ValueError, match="no plain name"):
            filled("{hostname}{group}", server)
        server = type(server).objects.get(pk=server.pk)


def test_only_operators_of_the_institution_name_a_balancer_of_their_own() -> None:
    tenant, stranger = Tenant(servers=1), make_user(Role.OPERATOR, make_institution())
    operator = make_user(Role.OPERATOR, tenant.institution)
    row = Balancer(profile=tenant.servers[0].profile, name="L4", **HOOK)
    with pytest.raises(NotPermitted, match=str(operator)):
        save_row(actor=stranger, row=row)
    save_row(actor=operator, row=row)
    assert Entry.objects.filter(action="balancer.added").exists()
    row.server = Tenant(servers=1).servers[0]
    with pytest.raises(ValidationError):
        save_row(actor=operator, row=row)


def test_the_admin_saves_a_balancer_by_the_service() -> None:
    operator = make_user(Role.OPERATOR, institution := make_institution())
    profile = EnvironmentProfile.objects.create(institution=institution, name="tomcat")
    client = browser(operator)
    form = {"profile": profile.pk, "name": "L4", "seconds": 60, "others_needed": 1, "is_active": "on", **HOOK}
    bad = client.post("/admin/cmdb/balancer/add/", {**form, "drain_command": "/opt/ctl $(id)"})
    assert bad.status_code == 200 and not Balancer.objects.exists()
    assert client.post("/admin/cmdb/balancer/add/", form).status_code == 302
    assert Balancer.objects.get().words_of("drain_command") == ["/opt/l4/ctl", "out", "{hostname}"]
