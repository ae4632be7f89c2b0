"""A profile's revision grows with each save, from the service and from the admin, and reaches the chain."""

import json
from typing import Any

import pytest

from accounts.choices import Role
from audit.models import Entry
from cmdb.models import EnvironmentProfile, Server
from cmdb.services.import_cmdb import import_cmdb
from cmdb.services.save_profile import save_profile
from guardia.common.errors import InvalidInput
from tests.doors import browser
from tests.factories import make_institution, make_user

pytestmark = pytest.mark.django_db


def test_each_save_is_another_revision() -> None:
    operator = make_user(Role.OPERATOR, institution := make_institution())
    profile = save_profile(actor=operator, profile=EnvironmentProfile(institution=institution, name="tomcat"))
    assert profile.revision == 1
    stale = EnvironmentProfile.objects.get(pk=profile.pk)
    save_profile(actor=operator, profile=profile)
    save_profile(actor=operator, profile=stale)
    assert EnvironmentProfile.objects.get(pk=profile.pk).revision == 3, "a stale copy takes no revision twice"
    bodies = Entry.objects.filter(action="profile.saved").order_by("pk").values_list("body", flat=True)
    assert [json.loads(body)["facts"]["revision"] for body in bodies] == [1, 2, 3]


def test_an_inventory_brings_profiles_and_gives_a_changed_one_its_next_revision() -> None:
    def inventory(**values: object) -> dict[str, Any]:
        return {
            "institutions": [{"code": "A", "name": "기관"}],
            "systems": [{"code": "S", "institution": "A", "name": "업무"}],
            "profiles": [{"name": "jeus", "institution": "A", "startup_script": "bin/up.sh", **values}],
            "servers": [{"hostname": "h", "system": "S", "ip": "127.0.0.1", "role": "was", "profile": "jeus"}],
        }

    operator = make_user(Role.OPERATOR)
    for values, revision in (({}, 1), ({}, 1), ({"on_drift": "stop", "service_account": "jeus"}, 2)):
        assert import_cmdb(actor=operator, data=inventory(**values)).profiles == 1
        assert EnvironmentProfile.objects.get(name="jeus").revision == revision
    assert Server.objects.get().profile.name == "jeus"
    for bad in ({"startup_script": "/bin/sh"}, {"on_drift": "maybe"}, {"service_account": "a b"}, {"os_text": "a\nb"}):
        with pytest.raises(InvalidInput):
            import_cmdb(actor=operator, data=inventory(**bad))


def test_the_admin_saves_by_the_service() -> None:
    operator = make_user(Role.OPERATOR, institution := make_institution())
    profile = EnvironmentProfile.objects.create(institution=institution, name="tomcat")
    client, path = browser(operator), f"/admin/cmdb/environmentprofile/{profile.pk}/change/"
    form = dict(client.get(path).context["adminform"].form.initial)
    response = client.post(path, {**form, "stop_seconds": 45, "revision": 99})
    assert response.status_code == 302, response.context["errors"]
    profile = EnvironmentProfile.objects.get(pk=profile.pk)
    assert (profile.revision, profile.stop_seconds) == (2, 45)
