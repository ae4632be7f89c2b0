"""Every model says whose its rows are, or is named here as nobody's; the one scope rule holds for all of them."""

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from accounts.choices import Role
from accounts.models import User
from accounts.scope import visible_to
from audit.selectors import chains_visible_to, entries_visible_to
from tests.factories import make_user
from tests.guardia.world import Neighbour, Zebra

#: Rows of no tenant, or with a rule of their own (users and what is theirs alone, chains, notifications:
#: tested by their doors).
UNSCOPED = {
    "accounts.User",
    "accounts.ApiToken",
    "accounts.PasswordRecord",
    "accounts.RateBucket",
    "accounts.RecoveryCode",
    "accounts.TotpDevice",
    "accounts.UserSession",
    "audit.Chain",
    "audit.Checkpoint",
    "audit.DataKey",
    "audit.Entry",
    "audit.IntegrityHold",
    "audit.SealedChain",
    "audit.Verification",
    "audit.Witness",
    "notifications.Notification",
    "tickets.TaskNumber",
    "governance.ApprovalPolicy",
    "governance.PolicyChange",
    "governance.PolicyStep",
    "execution.Playbook",
    "execution.EventHead",
    "execution.CoreLink",
    "execution.GatewayNonce",
    "execution.Parcel",
}
MODELS: list[type[Model]] = [
    model for label in settings.GUARDIA_APPS for model in apps.get_app_config(label).get_models()
]


def test_every_model_is_scoped_or_named() -> None:
    assert {model._meta.label for model in MODELS if not hasattr(model, "scope_path")} == UNSCOPED


@pytest.mark.django_db
def test_a_user_sees_the_rows_of_their_institutions_only() -> None:
    zebra, neighbour = Zebra(), Neighbour()
    all_seeing = make_user(Role.AUDITOR)
    retired = User(pk=zebra.pm.pk, is_active=False)
    for model in MODELS:
        if not hasattr(model, "scope_path"):
            continue
        everything = model._default_manager.all()
        own = visible_to(everything, zebra.pm)
        assert own.exists(), f"the test has no row of {model._meta.label}"
        for person in neighbour.people.values():
            theirs = visible_to(everything, person)
            assert not theirs.filter(pk__in=own.values("pk")).exists(), model
        assert visible_to(everything, all_seeing).count() == everything.count()
        for nobody in (AnonymousUser(), retired, make_user()):
            assert not visible_to(everything, nobody).exists(), model


@pytest.mark.django_db
def test_chains_follow_the_institution_and_the_systems_chain_is_for_those_who_see_all() -> None:
    zebra, neighbour = Zebra(), Neighbour()
    assert [chain.key for chain in chains_visible_to(zebra.pm)] == ["institution:ZEBRA-CODE"]
    assert [chain.key for chain in chains_visible_to(neighbour.pm)] == [f"institution:{neighbour.institution.code}"]
    assert "system" in {chain.key for chain in chains_visible_to(make_user(Role.AUDITOR))}
    assert not entries_visible_to(neighbour.pm).filter(task_id=zebra.task.task_id).exists()
    assert entries_visible_to(zebra.pm).filter(task_id=zebra.task.task_id).exists()
    assert not chains_visible_to(AnonymousUser()).exists()
