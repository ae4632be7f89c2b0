"""A real browser opens the pages as each kind of user, from a desk's screen to a small phone's: nothing is cut off or
scrolls sideways, nothing is refused by the content security policy, every control has a name and can be hit."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.doors import browser as logged_in
from tests.guardia.world import Zebra

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENS = Path(__file__).resolve().parents[2] / "var" / "screens"
WIDTHS, SHOWN = (1280, 768, 360, 320), (1280, 360)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
#: What is wrong with a page, as its own script sees it.
FAULTS = """() => {
  const seen = e => e.checkVisibility({checkOpacity: false, checkVisibilityCSS: true}) && e.getClientRects().length;
  const named = e => (e.labels && e.labels.length) || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
    || e.title || e.innerText.trim() || e.alt || e.value && ['submit', 'button'].includes(e.type);
  const what = e => e.outerHTML.slice(0, 120);
  const faults = [];
  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth) {
    const over = e => seen(e) && e.getBoundingClientRect().right > innerWidth + 1;
    const wide = [...document.querySelectorAll('body *')].filter(over);
    faults.push(`${page.scrollWidth} wide: ${wide.slice(0, 3).map(what).join(' | ')}`);
  }
  if (document.documentElement.lang !== 'ko') faults.push('lang ' + document.documentElement.lang);
  if (!document.title.trim()) faults.push('no title');
  if (document.querySelectorAll('h1').length !== 1) faults.push(document.querySelectorAll('h1').length + ' h1');
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href]')) {
    if (!seen(e)) continue;
    if (!named(e)) faults.push('no name: ' + what(e));
    const box = e.getBoundingClientRect();
    if (e.matches('button, select, .button, input[type=submit]') && (box.width < 24 || box.height < 24))
      faults.push(`${Math.round(box.width)}×${Math.round(box.height)}: ` + what(e));
  }
  for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) faults.push('no alt: ' + what(e));
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  const doubled = ids.filter((id, at) => ids.indexOf(id) !== at);
  if (doubled.length) faults.push('ids twice: ' + [...new Set(doubled)].join(' '));
  return faults;
}"""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright's own loop runs in this thread, and Django would take its queries for asynchronous ones.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def faults_of(page: Page, url: str, name: str) -> list[str]:
    """What is wrong with the page at any width, and what the browser complains of."""
    response = page.goto(url)
    found = [f"HTTP {response and response.status}"] if not response or response.status != 200 else []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{width}: {fault}" for fault in page.evaluate(FAULTS)]
        if width in SHOWN:
            page.screenshot(path=SCREENS / f"{name}-{width}.png", full_page=True)
    return found


def visit(chromium: Browser, server: LiveServer, person: User, paths: tuple[str, ...]) -> dict[str, list[str]]:
    """Path → faults, as somebody who is logged in sees it."""
    context = chromium.new_context(locale="ko-KR", has_touch=True)
    cookies = logged_in(person).cookies
    context.add_cookies([{"name": name, "value": cookies[name].value, "url": server.url} for name in cookies])
    page, said = context.new_page(), []
    page.on("console", lambda told: said.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"{request.url} {request.failure}"))
    found = {}
    for path in paths:
        said.clear()
        faults = faults_of(page, server.url + path, path.strip("/").replace("/", "-") or "home")
        # The live server of the tests speaks no websocket.
        faults += [words for words in said if "WebSocket" not in words and "/ws/" not in words]
        if faults:
            found[path] = faults
    context.close()
    return found


def test_every_page_stands_on_every_screen(chromium: Browser, live_server: LiveServer) -> None:
    zebra, root, found = Zebra(), User.objects.create_superuser("of-all"), dict[str, list[str]]()
    SCREENS.mkdir(parents=True, exist_ok=True)
    for person, paths in everybodys_pages(zebra, root).items():
        found |= visit(chromium, live_server, person, paths)
    assert not found


def everybodys_pages(zebra: Zebra, root: User) -> dict[User, tuple[str, ...]]:
    task, waiting = f"/tasks/{zebra.task.task_id}/", f"/tasks/{zebra.waiting.task_id}/"
    preview = f"/systems/{zebra.system.pk}/approvals/"
    return {
        zebra.site_manager: ("/", "/tasks/new/", "/tasks/", "/messages/", "/account/", task),
        zebra.owner: ("/inbox/", waiting, "/absence/", "/admin/"),
        zebra.pm: (
            task,
            "/queue/",
            "/calendar/",
            "/more/",
            "/halt/",
            f"/admin/tickets/opstask/{zebra.task.pk}/change/",
        ),
        zebra.security: (preview, "/reports/", f"/reports/{zebra.report.pk}/"),
        root: (
            *(
                "/policies/",
                "/policies/new/",
                "/authority/",
                "/people/",
                "/playbooks/",
                "/playbooks/backup/1/",
                "/policies/changes/",
                "/servers/keys/",
            ),
            *("/admin/tickets/opstask/", "/admin/cmdb/server/", "/admin/audit/entry/"),
        ),
    }
