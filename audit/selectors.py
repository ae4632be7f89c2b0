"""Reads of the chain, scoped: an institution's entries for its members, the system's for those who see everything."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat

from accounts.models import Institution, User
from accounts.scope import sees_everything, visible_to
from audit.models import Chain, Entry


def chains_visible_to(user: User | AnonymousUser) -> QuerySet[Chain]:
    """Chains are keyed by text, so the one scope rule is applied to institutions and translated to keys."""
    if sees_everything(user):
        return Chain.objects.all()
    keys = visible_to(Institution.objects.annotate(chain_key=Concat(Value("institution:"), "code")), user)
    return Chain.objects.filter(key__in=keys.values("chain_key"))


def entries_visible_to(user: User | AnonymousUser) -> QuerySet[Entry]:
    return Entry.objects.filter(chain__in=chains_visible_to(user)).select_related("chain")


def entries_of_task(task_id: str) -> QuerySet[Entry]:
    """The life of one task, oldest first. The caller has already been allowed to see the task."""
    return Entry.objects.filter(task_id=task_id).order_by("pk")
