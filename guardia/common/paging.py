"""Pages of lists that grow for ever: what they cost doesn't depend on how long the list is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

M = TypeVar("M", bound=Model)
_KEY = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[M]):
    """Some rows, newest first; `newer` and `older` are the keys from which their neighbours go on, None at an end."""

    rows: Sequence[M]
    newer: int | None
    older: int | None


def newest_first(queryset: QuerySet[M], *, size: int, before: str = "", after: str = "") -> KeysetPage[M]:
    """The `size` rows just older than the key `before`, or just newer than `after`; else the newest. One query, by the
    key's index, however far down; keys that are none are taken for none given."""
    if _KEY.fullmatch(after):
        found = list(queryset.filter(pk__gt=int(after)).order_by("pk")[: size + 1])
        rows, is_more = found[:size][::-1], len(found) > size
        if is_more and rows:
            return KeysetPage(rows, rows[0].pk, rows[-1].pk)
        before = ""  # the newest page is always full
    is_first = not _KEY.fullmatch(before)
    rest = queryset if is_first else queryset.filter(pk__lt=int(before))
    found = list(rest.order_by("-pk")[: size + 1])
    rows = found[:size]
    newer = rows[0].pk if rows and not is_first else None
    return KeysetPage(rows, newer, rows[-1].pk if len(found) > size else None)


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Numbered pages of at most `most` rows; of more it isn't known how many (`is_capped`), for counting costs a look
    at each. Whoever needs what lies behind narrows the list down."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return min(self.most, len(rows))
        return rows.order_by().values("pk")[: self.most].count()

    @property
    def is_capped(self) -> bool:
        return self.count >= self.most
