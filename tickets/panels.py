"""Panels of a task's page. Upper floors add theirs at start-up, so that this one needn't know them.

A panel is a template and the context it needs; the admin's page and the portal's show the same panels, in order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from tickets.models import OpsTask

#: Returns the template's context, or None where the panel has nothing to show to this user.
PanelContext = Callable[[HttpRequest, OpsTask], dict[str, Any] | None]


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
    shown = ((panel.template, panel.context(request, task)) for panel in _panels)
    return [(template, context) for template, context in shown if context is not None]
