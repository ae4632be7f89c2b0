from typing import ClassVar

from django.db import models


class RateBucket(models.Model):
    """How much one caller has asked lately (`accounts.rates`): the moment at which nothing of it counts any more.

    Not logged by the database (a crash empties it), and rows whose moment has passed are removed by the clock.
    """

    key = models.CharField(primary_key=True, max_length=160)
    empty_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["empty_at"], name="rate_bucket_empty_at")]

    def __str__(self) -> str:
        return self.key
