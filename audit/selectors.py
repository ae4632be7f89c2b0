"""Reads of the chain, scoped: an institution's entries for its members, the system's for those who see everything."""

import re

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.functions import Concat

from accounts.models import Institution, User
from accounts.scope import sees_everything, visible_to, where_holding
from audit.act_words import act_words
from audit.choices import STOPPING
from audit.models import Chain, DataKey, Entry, IntegrityHold, Report
from audit.roles import READERS, is_reader
from guardia.common.errors import NotVisible

_TASK = re.compile(r"OPS-[0-9]{8}-[0-9]+")
_MOST_WORDS = 5
#: `audit.chain.scope_of` in the database: a gateway's chain is its institution's business.
_CONCERNS = Func(F("key"), Value("^gateway:(.*)/[^/]*$"), Value("institution:\\1"), function="regexp_replace")


def chains_visible_to(user: User | AnonymousUser) -> QuerySet[Chain]:
    """Chains are keyed by text, so the one scope rule is applied to institutions and translated to keys."""
    if sees_everything(user):
        return Chain.objects.all()
    scopes = visible_to(Institution.objects.annotate(scope=Concat(Value("institution:"), "code")), user).values("scope")
    return Chain.objects.annotate(concerns=_CONCERNS).filter(Q(concerns__in=scopes) | Q(scope__in=scopes))


def entries_visible_to(user: User | AnonymousUser) -> QuerySet[Entry]:
    """The chains are asked for first: among millions of entries PostgreSQL chooses an index by their keys."""
    entries = Entry.objects.select_related("chain")
    if sees_everything(user):
        return entries
    return entries.filter(chain__in=list(chains_visible_to(user).values_list("pk", flat=True)))


def entries_found(entries: QuerySet[Entry], words: str) -> QuerySet[Entry]:
    """Those that each of the words fits: a task's number, an action (`approval.approved`), or who acted, as entries
    name them (`user:7:kim.site`, `guardia-worker`) or by login. Each is one column's exact value, so that an index
    finds it among millions."""
    for word in words.split()[:_MOST_WORDS]:
        if _TASK.fullmatch(word.upper()):
            entries = entries.filter(task_id=word.upper())
        elif act_words(word) != word:
            entries = entries.filter(action=word)
        else:
            people = User.objects.filter(username=word).values_list("pk", "username")
            entries = entries.filter(actor__in=[word, *(f"user:{pk}:{name}" for pk, name in people)])
    return entries


def data_keys_visible_to(user: User | AnonymousUser) -> QuerySet[DataKey]:
    return DataKey.objects.filter(chain__in=chains_visible_to(user)).select_related("chain", "proposed_by")


def entries_of_task(task_id: str) -> QuerySet[Entry]:
    """The life of one task, oldest first. The caller has already been allowed to see the task."""
    return Entry.objects.filter(task_id=task_id).order_by("pk")


def holds_visible_to(user: User | AnonymousUser) -> QuerySet[IntegrityHold]:
    """Broken ranges: an institution's for its members; those that stop everybody are for those who see everything."""
    holds = IntegrityHold.objects.select_related("proposed_by", "decided_by")
    if sees_everything(user):
        return holds
    codes = visible_to(Institution.objects.all(), user).values_list("code", flat=True)
    return holds.filter(scope__in=[f"institution:{code}" for code in codes])


def stopping_hold(institution: Institution) -> IntegrityHold | None:
    """What stops executions of this institution: a break in its own chain, or in what all of them rely on."""
    scopes = ["", f"institution:{institution.code}"]
    return IntegrityHold.objects.filter(status__in=STOPPING, scope__in=scopes).order_by("pk").first()


def reports_visible_to(user: User | AnonymousUser) -> QuerySet[Report]:
    """Reports on the reader's institutions; those on all are for those who see everything."""
    return visible_to(Report.objects.select_related("institution", "requested_by", "signed_by", "entry__chain"), user)


def readable_reports(user: User) -> QuerySet[Report]:
    """Those of them that the reader may take, by their roles."""
    return where_holding(reports_visible_to(user), user, READERS)


def visible_report(user: User | AnonymousUser, pk: int) -> Report:
    """Raises NotVisible."""
    report = reports_visible_to(user).filter(pk=pk).first()
    if report is None:
        raise NotVisible
    return report


def may_report(user: User, institution: Institution | None) -> bool:
    """Whether somebody makes and reads reports on this institution; None: on all at once."""
    institution_id = institution.pk if institution is not None else None
    return is_reader(user, institution_id)


def institutions_to_report(user: User) -> QuerySet[Institution]:
    return where_holding(Institution.objects.order_by("code"), user, READERS)
