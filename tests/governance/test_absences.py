"""Absences are one's own, told in the chain without their reason; an administrator steps in only with one."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from audit.models import Entry
from governance.exceptions import ReasonMissing
from governance.models import Absence, SystemOwner
from governance.selectors_authority import stale_mappings
from governance.services.absences import end_absence, plan_absence, plan_absence_for
from governance.services.check_authority import check_authority
from governance.services.name_owner import name_owner
from governance.services.set_authority import set_authority
from guardia.common.clock import now
from guardia.common.errors import GuardiaError, InvalidInput, NotPermitted, NotVisible, StaleState
from notifications.models import Notification
from tests.audit.words import words_of
from tests.factories import Tenant, make_user
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db


def period(starts: float, ends: float) -> dict[str, datetime]:
    """Hours from now."""
    return {"starts_at": now() + timedelta(hours=starts), "ends_at": now() + timedelta(hours=ends)}


def test_an_absence_is_planned_and_ended_by_its_owner() -> None:
    tenant = Tenant()
    absence = plan_absence(actor=tenant.owner, reason="병가", deputy=tenant.deputy, **period(24, 48))
    assert absence.is_open and not Absence.in_force().exists()
    end_absence(actor=tenant.owner, absence_pk=absence.pk)
    assert not Absence.objects.get().is_open
    with nothing_changes(), pytest.raises(StaleState):
        end_absence(actor=tenant.owner, absence_pk=absence.pk)
    entries = list(Entry.objects.filter(action__startswith="absence.").order_by("pk"))
    assert [entry.action for entry in entries] == ["absence.planned", "absence.ended"]
    assert {entry.chain.key for entry in entries} == {f"institution:{tenant.institution.code}"}
    assert not any("병가" in words_of(entry) for entry in entries), "why is the person's own affair"


def test_an_administrator_needs_a_reason_and_the_person_is_told() -> None:
    tenant = Tenant()
    admin = make_user(Role.ADMINISTRATOR, tenant.institution)
    with nothing_changes(), pytest.raises(ReasonMissing):
        plan_absence_for(actor=admin, user=tenant.owner, reason=" ", **period(-1, 5))
    absence = plan_absence_for(actor=admin, user=tenant.owner, reason="연락 두절", **period(-1, 5))
    assert Absence.in_force().get() == absence and absence.set_by == admin
    with nothing_changes(), pytest.raises(ReasonMissing):
        end_absence(actor=admin, absence_pk=absence.pk)
    end_absence(actor=admin, absence_pk=absence.pk, reason="복귀")
    told = list(Notification.objects.filter(recipient=tenant.owner).order_by("pk"))
    assert [row.kind for row in told] == ["absence_set", "absence_ended"]
    assert "연락 두절" in told[0].text
    assert "연락 두절" in words_of(Entry.objects.get(action="absence.planned"))


def test_nobody_else_touches_it_and_the_refusal_names_who_could() -> None:
    tenant, stranger = Tenant(), Tenant()
    admin = make_user(Role.ADMINISTRATOR, tenant.institution)
    foreign_admin = make_user(Role.ADMINISTRATOR, stranger.institution)
    absence = plan_absence(actor=tenant.owner, reason="연가", **period(1, 2))
    for actor in (tenant.deputy, tenant.pm, foreign_admin):
        with nothing_changes(), pytest.raises(NotPermitted, match=str(admin)):
            plan_absence_for(actor=actor, user=tenant.owner, reason="왜", **period(3, 4))
    with nothing_changes(), pytest.raises(NotPermitted, match=str(admin)):
        end_absence(actor=tenant.deputy, absence_pk=absence.pk, reason="왜")
    with nothing_changes(), pytest.raises(NotVisible):
        end_absence(actor=foreign_admin, absence_pk=absence.pk, reason="왜")


def test_what_cannot_be_is_refused_by_the_service_and_by_the_database() -> None:
    tenant, stranger = Tenant(), Tenant()
    viewer = make_user(Role.TEAM_LEAD, tenant.institution)
    Membership.objects.filter(user=viewer).update(authority=Authority.VIEWER)
    plan_absence(actor=tenant.owner, reason="연가", **period(10, 20))
    cases: list[tuple[dict[str, datetime], User | None, str]] = [
        (period(2, 1), None, "wrong_period"),
        (period(-2, -1), None, "wrong_period"),
        (period(15, 30), None, "overlap"),
        (period(5, 11), None, "overlap"),
        (period(30, 40), tenant.owner, "wrong_deputy"),
        (period(30, 40), stranger.owner, "wrong_deputy"),
        (period(30, 40), viewer, "wrong_deputy"),
        (period(30, 40), tenant.site_manager, "wrong_deputy"),
    ]
    for when, deputy, code in cases:
        with nothing_changes(), pytest.raises(InvalidInput) as refused:
            plan_absence(actor=tenant.owner, reason="연가", deputy=deputy, **when)
        assert refused.value.code == code
    row = {"user": tenant.pm, "set_by": tenant.pm, "reason": "x", **period(1, 2)}
    wrong = [
        ("absence_ends_after_it_starts", period(2, 1)),
        ("absence_deputy_is_another", {"deputy": tenant.pm}),
        ("absence_has_a_reason", {"reason": ""}),
    ]
    for constraint, change in wrong:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Absence.objects.create(**{**row, **change})  # type: ignore[arg-type]


def test_authority_is_set_by_administrators_for_others_and_recorded() -> None:
    tenant = Tenant()
    admin = make_user(Role.ADMINISTRATOR, tenant.institution)
    membership, own = tenant.owner.memberships.get(), admin.memberships.get()
    for actor, target in ((tenant.pm, membership), (admin, own)):
        with nothing_changes(), pytest.raises(GuardiaError):
            set_authority(actor=actor, membership_pk=target.pk, authority=Authority.VIEWER)
    set_authority(actor=admin, membership_pk=membership.pk, authority=Authority.VIEWER)
    set_authority(actor=admin, membership_pk=membership.pk, authority=Authority.VIEWER)
    assert Membership.objects.get(pk=membership.pk).authority == "VIEWER"
    assert Entry.objects.filter(action="authority.changed").count() == 1


def test_stale_mappings_are_found_and_told_once_a_month() -> None:
    tenant, healthy = Tenant(), Tenant()
    admin = make_user(Role.ADMINISTRATOR, tenant.institution)
    assert stale_mappings() == []
    User.objects.filter(pk=tenant.owner.pk).update(is_active=False)
    Membership.objects.filter(user=tenant.supervisor).delete()
    SystemOwner.objects.filter(system=tenant.system).update(deputy=None)
    (found,) = stale_mappings()
    assert found.system == tenant.system and len(found.problems) == 3
    assert check_authority() == 1 and check_authority() == 1
    told = Notification.objects.get()
    assert (told.recipient, told.kind) == (admin, "authority_stale") and tenant.system.code in told.text
    # repaired, it is gone; without any row it is back
    name_owner(actor=admin, system=tenant.system, owner=tenant.deputy, deputy=tenant.pm, sla_minutes=5)
    assert stale_mappings() == []
    SystemOwner.objects.filter(system=healthy.system).delete()
    assert [row.system for row in stale_mappings()] == [healthy.system]
