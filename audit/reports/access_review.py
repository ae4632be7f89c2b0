"""The access review of a month: who, when, from where, whose data, what.

개인정보의 안전성 확보조치 기준: records of access are looked through every month, reasons of downloads confirmed.
"""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from accounts.models import User
from audit.chain import scope_of
from audit.models import Explanation, Report
from audit.reports.document import Column, Document, Progress, Row, Signature, Table, Value, local_moment
from audit.reports.entries import (
    BY_PEOPLE,
    Reader,
    Told,
    chain_words,
    entries_of,
    institution_names,
    person_words,
    result_words,
)
from audit.reports.facts import facts_of
from guardia.common.masking import mask_all

#: Entries that stand out are named on the report's page, this many at most.
NAMED = 1000
_NIGHT = (22, 6)
_TAKEN_OUT = {
    *("chain.exported", "proof.downloaded", "table.exported", "reworks.exported", "log.opened"),
    "report.downloaded",
}
_REFUSED = {"access.refused", "session.locked_out"}
_RIGHTS = {"role.granted", "account.created", "account.enabled"}
_WHY: dict[str, Promise] = {
    "taken_out": pgettext_lazy("stands out", "Taken out"),
    "refused": pgettext_lazy("stands out", "Refused"),
    "rights": pgettext_lazy("stands out", "Rights given"),
    "night": pgettext_lazy("stands out", "At night"),
}


def why_it_stands_out(action: str, at: datetime) -> str:
    """A word for what a reviewer should look at, or nothing."""
    if action in _TAKEN_OUT:
        return "taken_out"
    if action in _REFUSED:
        return "refused"
    if action in _RIGHTS:
        return "rights"
    hour = timezone.localtime(at, timezone.get_default_timezone()).hour
    return "night" if action == "session.logged_in" and (hour >= _NIGHT[0] or hour < _NIGHT[1]) else ""


def why_words(why: Value) -> str:
    return str(_WHY.get(str(why), ""))


def access_review(report: Report, progress: Progress) -> Document:
    """What people did in the month; the program's own acts are no access. Leaves the keys of what stands out in
    `report.standing_out`, unsaved."""
    entries = entries_of(report).filter(BY_PEOPLE).order_by("recorded_at", "pk")
    rows = entries.count()
    progress.expect(rows)
    report.standing_out = []
    written = Explanation.objects.filter(report=report).select_related("written_by")
    explained = {one.entry_id: f"{mask_all(one.text)} ({one.written_by})" for one in written}

    def stream_rows() -> Iterator[Row]:
        places, people = institution_names(), dict(User.objects.values_list("pk", "username"))
        for number, told in enumerate(Reader(report.requested_by).stream(entries), 1):
            progress.step()
            why = why_it_stands_out(told.action, _moment(told.at))
            if why and len(report.standing_out) < NAMED:
                report.standing_out.append(told.pk)
            yield number, *_row(told, places, people), why, explained.get(told.pk, "")

    return Document(
        report.kind,
        report.get_kind_display(),
        rows,
        facts_of(report, rows),
        [
            Table(
                "access",
                _("Records of access"),
                _columns(),
                stream_rows(),
                _("Nobody did anything in this month."),
                lambda row: bool(row[10]),
            )
        ],
        _signatures(report),
    )


def _columns() -> list[Column]:
    return [
        Column("row", pgettext("column", "No."), 0.8, is_number=True),
        Column("recorded_at", pgettext("access", "When"), 2.2, local_moment),
        Column("actor", _("Who"), 2, person_words),
        Column("source_ip", _("From where"), 2.1),
        Column("whose", _("Whose data"), 3),
        Column("result", pgettext("access", "What"), 2.8, result_words),
        Column("summary", _("Reason given"), 3),
        Column("chain", _("Chain"), 0, chain_words),
        Column("number", _("Number"), 0, is_number=True),
        Column("hash", _("Hash"), 0),
        Column("stands_out", _("Stands out"), 1.3, why_words),
        Column("explanation", _("Explanation"), 3),
    ]


def _row(told: Told, places: dict[str, str], people: dict[int, str]) -> Row:
    origin = " ".join(part for part in (told.source_ip, told.channel) if part)
    place = (told.chain, told.number, told.hash)
    return told.at, told.actor, origin, _whose(told, places, people), told.result, told.summary, *place


def _whose(told: Told, places: dict[str, str], people: dict[int, str]) -> str:
    """The account that an entry is about; else the institution, with what of it was worked on."""
    if told.object_type == "user":
        account = people.get(int(told.object_id), "") if told.object_id.isdecimal() else ""
        return account or told.object
    name = places.get(scope_of(told.chain.partition("~")[0]), "")
    return " · ".join(dict.fromkeys(part for part in (name, told.system or told.object) if part))


def _moment(text: Value) -> datetime:
    return datetime.fromisoformat(str(text))


def _signatures(report: Report) -> list[Signature]:
    reviewer = Signature(_("Reviewer"), str(report.requested_by), _day(report.ordered_at), mask_all(report.reason))
    if report.signed_by is None:
        return [reviewer, Signature(_("Confirmed by"))]
    return [
        reviewer,
        Signature(_("Confirmed by"), str(report.signed_by), _day(report.signed_at), mask_all(report.finding)),
    ]


def _day(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M")
