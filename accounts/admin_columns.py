"""Columns of the admin's lists that look the same everywhere: states as chips, moments short enough for a table."""

from collections.abc import Callable
from typing import Any

from django.utils.functional import Promise
from django.utils.timezone import localtime

from guardia.common.chips import chip


def chip_column(field: str, label: str | Promise) -> Callable[[Any], str | bool]:
    """A column for a field with choices."""

    def column(row: Any) -> str:
        return chip(getattr(row, field), getattr(row, f"get_{field}_display")())

    return _named(column, f"{field}_chip", label, field)


def moment_column(field: str, label: str | Promise) -> Callable[[Any], str | bool]:
    """A column for a moment: local time to the second, for sorting and reading."""

    def column(row: Any) -> str:
        moment = getattr(row, field)
        return f"{localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else "–"

    return _named(column, f"{field}_moment", label, field)


def _named(column: Any, name: str, label: str | Promise, field: str) -> Callable[[Any], str | bool]:
    """What `admin.display` sets, with a lazy label; the name becomes the column's CSS class."""
    column.__name__, column.short_description, column.admin_order_field = name, label, field
    return column  # type: ignore[no-any-return]  # what the admin reads are its attributes
