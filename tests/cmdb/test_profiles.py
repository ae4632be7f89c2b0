"""A profile's revision grows with each save, from the service and from the admin, and reaches the chain."""

import json

import pytest

from accounts.choices import Role
from audit.models import Entry
from cmdb.models import EnvironmentProfile
from cmdb.services.save_profile import save_profile
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


def test_the_admin_saves_by_the_service() -> None:
    operator = make_user(Role.OPERATOR, institution := make_institution())
    profile = EnvironmentProfile.objects.create(institution=institution, name="tomcat")
    client, path = browser(operator), f"/admin/cmdb/environmentprofile/{profile.pk}/change/"
    form = dict(client.get(path).context["adminform"].form.initial)
    response = client.post(path, {**form, "stop_seconds": 45, "revision": 99})
    assert response.status_code == 302, response.context["errors"]
    profile = EnvironmentProfile.objects.get(pk=profile.pk)
    assert (profile.revision, profile.stop_seconds) == (2, 45)
