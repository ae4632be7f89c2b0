"""Panels of a task's page. Upper floors add theirs at start-up, so that this one needn't know them.

A panel is a template and the context it needs; the admin's page and the portal's show the same panels, in order.
They are asked with one `TaskPage`, so that what several of them need is read once, and what isn't there not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.http import HttpRequest

from accounts.caller import caller
from accounts.models import User
from tickets.models import OpsTask

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One look at one task (of `tickets.selectors.task_to_show`). It lives as long as the request, and only to show."""

    request: HttpRequest
    task: OpsTask
    _read: dict[Callable[[OpsTask], Any], Any] = field(default_factory=dict)

    @property
    def user(self) -> User:
        return caller(self.request)

    def once(self, read: Callable[[OpsTask], T]) -> T:
        """What `read` says about the task, asked at the first call."""
        if read not in self._read:
            self._read[read] = read(self.task)
        found: T = self._read[read]
        return found

    @property
    def hosts(self) -> list[dict[str, Any]]:
        """`pk`, `hostname` and `tier` of each of the task's servers."""
        hosts: list[dict[str, Any]] = self.task.hosts  # type: ignore[attr-defined]  # annotated
        return hosts

    def has(self, rows: str) -> bool:
        """Whether the task has such rows; `rows` is a name like `takeovers`, known since the task was read."""
        return bool(getattr(self.task, f"has_{rows}"))


#: Returns the template's context, or None where the panel has nothing to show to this user.
PanelContext = Callable[[TaskPage], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Panel:
    order: int
    template: str
    context: PanelContext


_panels: list[Panel] = []


def register_panel(*, order: int, template: str, context: PanelContext) -> None:
    """Add a panel to every task page; lower `order` stands higher."""
    _panels.append(Panel(order, template, context))
    _panels.sort(key=lambda panel: panel.order)


def panels_of(request: HttpRequest, task: OpsTask) -> list[tuple[str, dict[str, Any]]]:
    """(template, context) of each panel that has something to show. The caller has checked that the user sees it."""
    page = TaskPage(request, task)
    shown = ((panel.template, panel.context(page)) for panel in _panels)
    return [(template, context) for template, context in shown if context is not None]
