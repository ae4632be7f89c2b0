"""What every page draws the same way: icons, chips and the life-line of a task."""

from typing import Any

from django import template
from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ChangeList
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.contacts import shown_to
from execution.choices import RunStatus
from execution.selectors import latest_run
from guardia.common.chips import chip as chip_of
from tickets.choices import TaskStatus
from tickets.models import OpsTask
from tickets.words import NEEDS

register = template.Library()
_S = TaskStatus

#: The way of a task that ends well; each stage with the states that stand at it.
_STAGES: tuple[tuple[Promise, frozenset[str]], ...] = (
    (pgettext_lazy("stage", "Filed"), frozenset({_S.RECEIVED})),
    (pgettext_lazy("stage", "Read"), frozenset({_S.NEEDS_INFORMATION, _S.PARSED})),
    (pgettext_lazy("stage", "Approve"), frozenset({_S.PENDING_APPROVAL, _S.REJECTED, _S.WITHDRAWN})),
    (pgettext_lazy("stage", "Ready"), frozenset({_S.APPROVED, _S.PREPARING_CHANGE, _S.PENDING_REVIEW, _S.SCHEDULED})),
    (pgettext_lazy("stage", "Run"), frozenset({_S.EXECUTING, _S.FAILED, _S.HALTED})),
    (pgettext_lazy("stage", "Validate"), frozenset({_S.PENDING_VALIDATION})),
    (pgettext_lazy("stage", "Done"), frozenset({_S.COMPLETED})),
)
_BAD = frozenset({_S.REJECTED, _S.WITHDRAWN, _S.FAILED, _S.MANUAL, _S.HALTED})

#: What a request may still lack (the parser's slots).
#: template of a panel → its id on the page, and its name.
_PANELS: dict[str, tuple[str, Promise]] = {
    "execution/partials/plan_panel.html": ("plan", _("Plan")),
    "execution/partials/changes_panel.html": ("changes", _("What changed")),
    "portal/partials/waiting_panel.html": ("waiting", pgettext_lazy("task", "Start")),
    "governance/partials/approvals_panel.html": ("approvals", _("Approvals")),
    "governance/partials/held_panel.html": ("held", _("Waits for its time")),
    "execution/partials/halted_panel.html": ("halted", pgettext_lazy("panel", "Halted")),
    "execution/partials/run_panel.html": ("run", _("Run")),
    "governance/partials/change_panel.html": ("change", _("Change")),
    "governance/partials/manual_panel.html": ("manual", _("Work by hand")),
    "governance/partials/validation_panel.html": ("validation", _("Validation")),
    "execution/partials/result_panel.html": ("result", _("Result")),
    "audit/partials/entries_panel.html": ("entries", _("Chain entries")),
}
#: What in a panel's context says that the reader is asked to act.
_ASKED = ("may_answer", "mine", "may_validate", "may_record", "may_close", "may_review", "may_go_on")


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon of our sprite; the text beside it says what it means."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("guardia/icons.svg"),
        name,
    )


@register.simple_tag
def chip(value: object, label: str) -> SafeString:
    return chip_of(value, label)


@register.simple_tag
def panel_links(panels: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The way to each panel of a task's page: `anchor`, `label`, and `is_hot` where the reader is asked to act."""
    return [
        {
            "anchor": _PANELS[template][0],
            "label": _PANELS[template][1],
            "is_hot": any(panel.get(key) for key in _ASKED),
        }
        for template, panel in panels
        if template in _PANELS
    ]


@register.filter
def need(slot: str) -> str | Promise:
    """The words for something a request lacks."""
    return NEEDS.get(slot, slot)


@register.simple_tag(takes_context=True)
def request_text(context: dict[str, Any], task: OpsTask) -> str:
    """What was asked for, as this reader may see it."""
    user = context["request"].user
    return shown_to(user, task.text, institution_id=task.institution_id, author_id=task.requester_id)


@register.simple_tag
def lifeline(task: OpsTask) -> list[dict[str, Any]]:
    """Stages in order, each with `label` and `state`: done, now, bad (it ended or stopped here) or todo."""
    here = _place(task)
    ends = "bad" if task.status in _BAD else "done" if task.status == _S.COMPLETED else "now"
    return [
        {"label": label, "state": "done" if place < here else ends if place == here else "todo"}
        for place, (label, _states) in enumerate(_STAGES)
    ]


def _place(task: OpsTask) -> int:
    for place, (_label, states) in enumerate(_STAGES):
        if task.status in states:
            return place
    run = latest_run(task)  # MAN may be reached from three places: before, in and after a run
    if run is None:
        return 1
    return 5 if run.status == RunStatus.SUCCEEDED else 4


@register.simple_tag
def choices_of(changelist: ChangeList, spec: ListFilter) -> dict[str, Any]:
    """A filter's choices (`all`) and the label of the one that narrows the list (`chosen`; empty for "all")."""
    choices = list(spec.choices(changelist))
    chosen = next((choice["display"] for choice in choices[1:] if choice["selected"]), "")
    return {"all": choices, "chosen": chosen}
