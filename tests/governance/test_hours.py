"""Which windows and freezes count for a task, who may change them, and what each change leaves in the chain."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from cmdb.choices import Tier
from governance.choices import Decision, HoldKind
from governance.exceptions import AlreadyDecided, ReasonMissing, SelfApproval
from governance.models import ChangeWindow, ExtraHoliday, Freeze, FreezeException
from governance.selectors_windows import HoursBook, Place, hold_on, hours_of_tasks
from governance.services.freeze_exceptions import decide_freeze_exception, request_freeze_exception
from governance.services.save_hours import save_extra_holiday, save_freeze, save_window
from guardia.common.clock import local_day, now
from guardia.common.errors import GuardiaError, InvalidInput, NotPermitted, NotVisible, StaleState
from tests.factories import Tenant, make_server, make_system, make_user
from tests.governance.hours import closed_window, freeze, open_window
from tests.snapshot import nothing_changes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=1)


def test_without_windows_an_institution_is_always_open(tenant: Tenant) -> None:
    closed_window(Tenant(servers=1).institution)
    assert hold_on(tenant.file()) is None


@pytest.mark.parametrize("says_most", range(1, 5))
def test_the_windows_that_say_most_count_alone(tenant: Tenant, says_most: int) -> None:
    levels: list[dict[str, Any]] = [
        {},
        {"tier": Tier.STANDARD},
        {"system": tenant.system},
        {"system": tenant.system, "tier": Tier.STANDARD},
    ]
    for fields in levels[: says_most - 1]:
        open_window(tenant.institution, **fields)
    expected = closed_window(tenant.institution, **levels[says_most - 1])
    closed_window(tenant.institution, tier=Tier.CRITICAL)
    closed_window(tenant.institution, system=make_system(tenant.institution))
    closed_window(tenant.institution, is_active=False)
    place = Place(tenant.institution.pk, tenant.system.pk, frozenset({Tier.STANDARD, Tier.TEST}))
    assert HoursBook([tenant.institution.pk], now()).windows_at(place) == [expected]
    hold = hold_on(tenant.file())
    assert hold is not None and hold.kind == HoldKind.WINDOW and "window" in str(hold)
    assert hold.opens_at is not None and timedelta(hours=11) < hold.opens_at - now() < timedelta(hours=13)


FREEZES: list[tuple[Callable[[Tenant], dict[str, Any]], bool]] = [
    (lambda t: {"institution": None}, True),
    (lambda t: {"institution": t.institution}, True),
    (lambda t: {"institution": t.institution, "system": t.system}, True),
    (lambda t: {"institution": None, "tier": Tier.TEST}, True),  # one of its servers is of that tier
    (lambda t: {"institution": None, "tier": Tier.CRITICAL}, False),
    (lambda t: {"institution": t.institution, "system": make_system(t.institution)}, False),
    (lambda t: {"institution": Tenant(servers=1).institution}, False),
    (lambda t: {"institution": t.institution, "begins": 1}, False),
    (lambda t: {"institution": t.institution, "begins": -3, "hours": 2}, False),
]


@pytest.mark.parametrize(("fields", "holds"), FREEZES)
def test_a_freeze_holds_what_it_is_about(
    tenant: Tenant, fields: Callable[[Tenant], dict[str, Any]], holds: bool
) -> None:
    tenant.servers.append(make_server(tenant.system, tier=Tier.TEST))
    task = tenant.file()
    row = freeze(**fields(tenant))
    hold = hold_on(task)
    assert (hold is not None) is holds
    if hold is not None:
        assert (hold.kind, hold.freezes, hold.opens_at) == (HoldKind.FREEZE, (row,), row.ends_at)
        assert row.name in str(hold)


@pytest.mark.parametrize(("on_holidays", "count"), [("ALLOWED", 4), ("FORBIDDEN", 5)])
def test_a_page_of_tasks_costs_five_queries_at_most(
    on_holidays: str, count: int, tenant: Tenant, django_assert_num_queries: Any
) -> None:
    tasks = [tenant.file() for _number in range(6)]
    freeze(None)
    window(tenant, on_holidays=on_holidays).save()
    with django_assert_num_queries(count):
        assert len(hours_of_tasks(tasks)) == 6


def window(tenant: Tenant, **fields: Any) -> ChangeWindow:
    values = {"name": "w", "weekdays": [0], "starts_at": time(1), "ends_at": time(2), **fields}
    return ChangeWindow(institution=tenant.institution, **values)


def new_freeze(tenant: Tenant, **fields: Any) -> Freeze:
    values = {"institution": tenant.institution, "name": "f", "reason": "r", "starts_at": now(), **fields}
    return Freeze(**{"ends_at": now() + timedelta(days=1), **values})


SAVES: list[tuple[Callable[[User, Tenant], Any], str]] = [
    (lambda actor, t: save_window(actor=actor, window=window(t)), "window.saved"),
    (lambda actor, t: save_freeze(actor=actor, freeze=new_freeze(t)), "freeze.saved"),
    (
        lambda actor, t: save_extra_holiday(
            actor=actor, holiday=ExtraHoliday(institution=t.institution, day=local_day(), name="h")
        ),
        "holiday.saved",
    ),
]


@pytest.mark.parametrize(("save", "action"), SAVES)
def test_keepers_change_hours_and_the_chain_tells(
    tenant: Tenant, save: Callable[[User, Tenant], Any], action: str
) -> None:
    for role in Role:
        keeper = make_user(role, tenant.institution)
        if role in (Role.OPERATOR, Role.ADMINISTRATOR):
            with transaction.atomic():
                save(keeper, tenant)
                assert Entry.objects.filter(action=action, actor__contains=keeper.username).count() == 1
                transaction.set_rollback(True)
        else:
            with nothing_changes(), pytest.raises(NotPermitted, match="Operator"):
                save(keeper, tenant)
    foreign = make_user(Role.ADMINISTRATOR, Tenant(servers=1).institution)
    with nothing_changes(), pytest.raises(NotPermitted):
        save(foreign, tenant)


def test_what_makes_no_sense_is_refused(tenant: Tenant) -> None:
    operator = make_user(Role.OPERATOR)
    elsewhere = make_system(Tenant(servers=1).institution)
    with nothing_changes():
        for row in (window(tenant, weekdays=[7]), window(tenant, weekdays=[]), window(tenant, system=elsewhere)):
            with pytest.raises(InvalidInput):
                save_window(actor=operator, window=row)
        for row in (new_freeze(tenant, ends_at=now() - timedelta(1)), new_freeze(tenant, system=elsewhere)):
            with pytest.raises(InvalidInput):
                save_freeze(actor=operator, freeze=row)


def test_an_operator_of_one_institution_freezes_not_all_and_ends_no_freeze(tenant: Tenant) -> None:
    operator = make_user(Role.OPERATOR, tenant.institution)
    row = freeze(tenant.institution)
    for changed in (new_freeze(tenant, institution=None), row):
        with nothing_changes(), pytest.raises(NotPermitted):
            save_freeze(actor=operator, freeze=changed)
    row.institution, administrator = None, make_user(Role.ADMINISTRATOR, tenant.institution)
    with nothing_changes(), pytest.raises(NotPermitted):
        save_freeze(actor=administrator, freeze=row)


def asked(tenant: Tenant) -> FreezeException:
    task, _plan = tenant.planned()
    return request_freeze_exception(
        actor=tenant.site_manager,
        task_id=task.task_id,
        freeze_pk=freeze(tenant.institution).pk,
        reason="보안 패치",
    )


def test_an_exception_lets_one_task_through_one_freeze(tenant: Tenant) -> None:
    row = asked(tenant)
    other = tenant.file()
    assert hold_on(row.task) is not None
    decide_freeze_exception(
        actor=tenant.security, task_id=row.task.task_id, exception_pk=row.pk, decision=Decision.APPROVE
    )
    assert hold_on(row.task) is None
    assert hold_on(other) is not None
    freeze(None, name="second")
    assert hold_on(row.task) is not None
    actions = list(Entry.objects.filter(action__startswith="freeze_exception").values_list("action", flat=True))
    assert sorted(actions) == ["freeze_exception.granted", "freeze_exception.requested"]


def test_an_exception_is_asked_for_once_by_those_who_may_and_with_words(tenant: Tenant) -> None:
    row = asked(tenant)
    stranger = Tenant(servers=1)
    other = freeze(tenant.institution, name="other")
    tries: list[tuple[User, int, str, type[GuardiaError]]] = [
        (tenant.site_manager, row.freeze_id, "again", StaleState),
        (tenant.owner, other.pk, "why", NotPermitted),
        (tenant.pm, other.pk, " ", ReasonMissing),
        (tenant.pm, freeze(stranger.institution).pk, "why", NotVisible),
        (stranger.pm, other.pk, "why", NotVisible),
    ]
    for actor, key, reason, error in tries:
        with nothing_changes(), pytest.raises(error):
            request_freeze_exception(actor=actor, task_id=row.task.task_id, freeze_pk=key, reason=reason)
    done = tenant.file()
    with nothing_changes(), pytest.raises(StaleState):
        request_freeze_exception(actor=tenant.pm, task_id=done.task_id, freeze_pk=other.pk, reason="not planned yet")


def test_an_exception_is_decided_once_by_somebody_else_of_rank(tenant: Tenant) -> None:
    row = asked(tenant)
    both = make_user(Role.SECURITY_OFFICER, tenant.institution)

    def decide(actor: User, decision: Decision = Decision.APPROVE, comment: str = "") -> FreezeException:
        return decide_freeze_exception(
            actor=actor, task_id=row.task.task_id, exception_pk=row.pk, decision=decision, comment=comment
        )

    FreezeException.objects.filter(pk=row.pk).update(requested_by=both)
    for actor, error in (
        (both, SelfApproval),
        (tenant.site_manager, SelfApproval),
        (tenant.pm, NotPermitted),
        (tenant.owner, NotPermitted),
        (Tenant(servers=1).security, NotVisible),
    ):
        with nothing_changes(), pytest.raises(error):
            decide(actor)
    with nothing_changes(), pytest.raises(ReasonMissing):
        decide(tenant.security, Decision.REJECT)
    administrator = make_user(Role.ADMINISTRATOR, tenant.institution)
    assert decide(tenant.security, Decision.REJECT, "기다리세요").status == "REFUSED"
    with nothing_changes(), pytest.raises(AlreadyDecided, match=str(tenant.security)):
        decide(administrator)


def test_the_database_refuses_an_exception_that_one_person_gave_themselves(tenant: Tenant) -> None:
    row = asked(tenant)
    with pytest.raises(IntegrityError), transaction.atomic():
        FreezeException.objects.filter(pk=row.pk).update(status="GRANTED", decided_by=row.requested_by)
    with pytest.raises(IntegrityError), transaction.atomic():
        FreezeException.objects.filter(pk=row.pk).update(status="GRANTED")
