"""Finding requests by their words, in Korean too, on any PostgreSQL: no extension is asked for."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Func, TextField
from django.db.models.lookups import Contains


class Bigrams(Func):
    """Every two letters that follow each other, in capitals (a function of the database, migration 0005). Korean words
    are short: with bigrams two syllables find a request by the index; trigrams would need three."""

    function = "tickets_bigrams"
    arity = 1
    output_field = ArrayField(TextField())


@TextField.register_lookup
class ILike(Contains):
    """`icontains` by ILIKE of the column itself. Django's UPPER(column) has no statistics, so the database takes every
    word for a rare one, and reads a million rows where the newest twenty would have done."""

    lookup_name = "ilike"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"ILIKE {rhs}"
