"""Everything that Guardia knows, as values: a refusal is proved by comparing it before and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django_q.models import OrmQ

from accounts.models import RateBucket

Snapshot = dict[str, list[dict[str, Any]]]


def snapshot() -> Snapshot:
    """Every row of every table of ours but the counts of requests, and of the queue."""
    models = [
        model
        for label in settings.GUARDIA_APPS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model is not RateBucket
    ]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in [*models, OrmQ]}


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Fails, naming the tables, when the block leaves anything behind."""
    before = snapshot()
    yield
    after = snapshot()
    assert after == before, [label for label in after if after[label] != before[label]]
