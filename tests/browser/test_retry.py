"""An operator tries the failed servers of a real run again, in a real browser, at a desk and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts.choices import Role
from demo.fleet import Fleet
from execution.models import Run
from tests.browser.test_screens import CHROMIUM, FAULTS, SCREENS, chromium
from tests.doors import browser as logged_in
from tests.execution.conftest import fleet
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, reset_hosts
from tests.factories import make_user
from tests.queue import run_queue

__all__ = ["chromium", "fleet"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture
def tenant(transactional_db: None, fleet: Fleet) -> Iterator[FleetTenant]:
    reset_hosts(fleet)
    yield FleetTenant(fleet, count=4)
    reset_hosts(fleet)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_failed_servers_alone_are_tried_again(
    chromium: Browser,
    live_server: LiveServer,
    tenant: FleetTenant,
    width: int,
) -> None:
    bad = tenant.tree(tenant.servers[2].hostname)
    first, *rest = bad.startup.read_text().splitlines(keepends=True)
    mark = bad.root / "fails-once"
    mark.touch()
    bad.startup.write_text("".join([first, f'[ ! -e "{mark}" ] || {{ rm -f "{mark}"; exit 1; }}\n', *rest]))
    run = tenant.deploy("7.1.0")
    assert run.status == "ROLLED_BACK", run.reason
    operator = make_user(Role.OPERATOR, tenant.institution)
    SCREENS.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(locale="ko-KR", has_touch=True, viewport={"width": width, "height": 800})
    cookies = logged_in(operator).cookies
    context.add_cookies([{"name": name, "value": cookies[name].value, "url": live_server.url} for name in cookies])
    page, url = context.new_page(), f"{live_server.url}/tasks/{run.task.task_id}/"
    page.goto(url)
    assert page.locator("#run-summary").inner_text() == "서버 4대 중 1대 완료, 1대 문제 발생"
    page.locator("#steer summary").filter(has_text="실패한 서버").click()
    page.screenshot(path=SCREENS / f"retry-form-{width}.png", full_page=True)
    assert page.evaluate(FAULTS) == []
    page.locator("#steer-retry").fill("실행 권한을 고쳤습니다.")
    page.get_by_role("button", name="다시 시도").click()
    page.wait_for_load_state()
    page.screenshot(path=SCREENS / f"retry-begun-{width}.png", full_page=True)
    run_queue()
    page.reload()
    page.screenshot(path=SCREENS / f"retry-done-{width}.png", full_page=True)
    assert page.evaluate(FAULTS) == []
    run = Run.objects.get(pk=run.pk)
    assert run.status == "SUCCEEDED" and [wave.is_retry for wave in run.waves.order_by("number")] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert page.locator("#run-summary").inner_text() == "서버 4대 중 4대 완료, 0대 문제 발생"
    assert {state.version for state in tenant.states().values()} == {"7.1.0"}
    assert_consistent(run)
    context.close()
