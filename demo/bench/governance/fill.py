"""Fill the database in sets. Not the product's way in, but every constraint and index of the product holds at the end:
those that are taken away for the loading are made again from their own definitions, which checks every row."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import Institution
from audit.services import Draft, record_many
from tickets.choices import SubType, risk_of
from tickets.models import OpsTask
from tickets.parsing.result import CATEGORY_OF

_SQL = Path(__file__).with_name("volume.sql")
_LARGE = (
    "tickets_opstask",
    "tickets_opstask_servers",
    "governance_approvalround",
    "governance_approvalstep",
    "notifications_notification",
)
_FILLED = {"accounts", "cmdb", "tickets", "governance", "execution", "notifications"}
_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid), conrelid::regclass::text FROM pg_constraint
WHERE conrelid = ANY(%s::regclass[]) AND contype = 'f'"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY(%s::regclass[])
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))"""


def fill(*, tasks: int, institutions: int = 200, approvers: int = 500) -> None:
    """Add this many tasks with three steps each, and whom and what they need."""
    kinds = [(sub.value, CATEGORY_OF[sub], int(risk_of(CATEGORY_OF[sub], sub, is_dangerous=False))) for sub in SubType]
    sub_types, categories, risks = (list(column) for column in zip(*kinds, strict=True))
    values: dict[str, Any] = {
        "tasks": tasks,
        "institutions": institutions,
        "approvers": approvers,
        "sub_types": sub_types,
        "categories": categories,
        "risks": risks,
        "kinds": len(kinds),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '128MB'")
        cursor.execute("SELECT setseed(0.5)")
        with _bare_tables(cursor), _models_defaults(cursor):
            for statement in _SQL.read_text(encoding="utf-8").split(";\n\n"):
                cursor.execute(statement, values)
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("RESET ALL")


def tell_of_open_tasks(each: int) -> None:
    """Entries of the chain for the newest tasks of every institution, by the product's own way."""
    for institution in Institution.objects.filter(code__startswith="BV"):
        tasks = OpsTask.objects.filter(institution=institution)[:each]
        acts = ("task.filed", "task.parsed", "task.submitted")
        drafts = [Draft(act, "bench", task, task.task_id, "", {}) for task in tasks for act in acts]
        with transaction.atomic():
            record_many(drafts, institution=institution)


@contextmanager
def _bare_tables(cursor: CursorWrapper) -> Iterator[None]:
    """Without foreign keys and secondary indexes within the block."""
    cursor.execute(_CONSTRAINTS, [list(_LARGE)])
    constraints = cursor.fetchall()
    cursor.execute(_INDEXES, [list(_LARGE)])
    indexes = cursor.fetchall()
    for name, _definition, table in constraints:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        cursor.execute(definition)
    for name, definition, table in constraints:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


@contextmanager
def _models_defaults(cursor: CursorWrapper) -> Iterator[None]:
    """The models' own defaults in the database within the block: for the columns that the filling doesn't name."""
    columns = [
        (model._meta.db_table, field.column, field.get_db_prep_save(field.get_default(), connection))
        for model in apps.get_models()
        if model._meta.app_label in _FILLED
        for field in model._meta.concrete_fields
        if not (field.null or field.is_relation or field.primary_key)
        if field.has_default() or field.empty_strings_allowed
    ]
    for table, column, value in columns:
        cursor.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" SET DEFAULT %s', [value])
    yield
    for table, column, _value in columns:
        cursor.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" DROP DEFAULT')
