"""Stored files that nothing names, uploads of refused requests and drafts of killed processes: a night removes them."""

import logging
import time
from collections.abc import Collection
from pathlib import Path

from django.conf import settings
from django.db import connection

from governance.models import Evidence
from tickets.models import Artefact
from tickets.services.store_artefact import remove_unless_fresh

logger = logging.getLogger(__name__)
#: Seconds that a file is left alone after it was stored: longer than any request or plan takes to name it.
GRACE = 24 * 3600
_TREES = """
    SELECT DISTINCT (regexp_matches(document, '"tree_sha256":"([0-9a-f]{64})"', 'g'))[1]
    FROM execution_plan WHERE document LIKE '%"tree_sha256":"%'
"""


def remove_orphans() -> int:
    """Remove every file of the store that is older than a day and named by no artefact, evidence or plan.

    Returns how many bytes. A gateway has none of these rows: it looks after its files itself (`gateways.work`).
    """
    store = Path(settings.GUARDIA_ARTEFACTS)
    if settings.GUARDIA_GATEWAY or not store.is_dir():
        return 0
    before = time.time() - GRACE
    freed = sum(remove_unless_fresh(path, before) for path in store.glob(".*-*") if path.is_file())
    trees: set[str] | None = None
    for folder in sorted(store.glob("??")):
        old = {path.name: path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < before}
        unnamed = set(old) - _named(old)
        if unnamed and trees is None:
            trees = _trees()
        freed += sum(remove_unless_fresh(old[name], before) for name in unnamed - (trees or set()))
    if freed:
        logger.info("stored files that nothing names: %s bytes removed", freed)
    return freed


def _named(digests: Collection[str]) -> set[str]:
    """Which of them rows name."""
    found: set[str] = set()
    for model in (Artefact, Evidence):
        found |= set(model._default_manager.filter(sha256__in=digests).values_list("sha256", flat=True))
    return found


def _trees() -> set[str]:
    """What plans made of archives; they keep it in their documents alone."""
    with connection.cursor() as cursor:
        cursor.execute(_TREES)
        return {row[0] for row in cursor.fetchall()}
