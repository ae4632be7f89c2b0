"""The sample people are enough for what takes two, and can log in as they are."""

import json

import pytest

from demo.fleet.hosts import FLEET_DATA
from demo.seed import ADMINISTRATOR, PEOPLE, sample_password, seed
from governance.models import ApprovalPolicy, PolicyChange
from tests.doors import browser

pytestmark = pytest.mark.django_db


def test_a_policy_that_the_administrator_proposes_is_decided_by_another_through_the_portal() -> None:
    seed([], data={**json.loads(FLEET_DATA.read_text(encoding="utf-8")), "servers": []})
    clients = {}
    for name in [ADMINISTRATOR, *(person.username for person in PEOPLE)]:
        clients[name] = browser()
        clients[name].post("/login/", {"username": name, "password": sample_password()})
        assert clients[name].get("/").status_code == 200, name
    policy = ApprovalPolicy.objects.all()[0]
    proposal = {"name": policy.name, "remove": "1", "reason": "통합"}
    clients[ADMINISTRATOR].post(f"/policies/{policy.pk}/change/", proposal)
    change = PolicyChange.objects.get()
    path, accepted = f"/policies/changes/{change.pk}/decide/", {"decision": "accept", "comment": ""}
    assert clients[ADMINISTRATOR].post(path, accepted).status_code == 403
    assert clients["jung.security"].post(path, accepted).status_code == 404  # of one institution
    assert clients["nam.security"].post(path, accepted).status_code == 302
    assert not ApprovalPolicy.objects.filter(pk=policy.pk).exists()
