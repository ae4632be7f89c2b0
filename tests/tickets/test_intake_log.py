"""Everything that somebody sends is a line, kept or refused; so is what the parser made of it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from guardia.common.errors import GuardiaError
from guardia.common.logs import JsonFormatter, MaskingFilter
from tests.factories import Tenant
from tickets.choices import Channel
from tickets.services.add_information import add_information
from tickets.services.file_task import file_task

pytestmark = pytest.mark.django_db


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []
        self.setFormatter(JsonFormatter())
        self.addFilter(MaskingFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def log() -> Iterator[dict[str, Kept]]:
    handlers = {name: Kept() for name in ("intake", "parser")}
    for name, handler in handlers.items():
        logging.getLogger(f"guardia.{name}").addHandler(handler)
    yield handlers
    for name, handler in handlers.items():
        logging.getLogger(f"guardia.{name}").removeHandler(handler)


def test_what_was_kept(log: dict[str, Kept]) -> None:
    tenant = Tenant(servers=1)
    text = f"{tenant.system.name} WAS 상태 점검해 주세요\x1b[2J\npassword=hunter2! 010-1234-5678"
    task = file_task(actor=tenant.site_manager, text=text, channel=Channel.API)
    [heard], [parsed] = log["intake"].lines, log["parser"].lines
    assert (heard["kind"], heard["outcome"], heard["about"], heard["channel"]) == (
        "request",
        "kept",
        task.task_id,
        "api",
    )
    assert heard["actor"] == f"user:{tenant.site_manager.pk}:{tenant.site_manager.username}"
    assert "상태 점검" in heard["message"] and "\x1b" in heard["message"]
    assert parsed["system"] == tenant.system.code and parsed["sub_type"] and parsed["milliseconds"] >= 0
    told = json.dumps([heard, parsed], ensure_ascii=False)
    assert "hunter2" not in told and "010-1234" not in told


def test_what_was_refused_is_a_line_too(log: dict[str, Kept]) -> None:
    tenant, other = Tenant(servers=1), Tenant(servers=1)
    for text in ("  ", f"{other.system.name} WAS 재기동", "x" * 20_000):
        with pytest.raises(GuardiaError):
            file_task(actor=tenant.site_manager, text=text, channel=Channel.PORTAL)
    outcomes = [line["outcome"] for line in log["intake"].lines]
    assert len(outcomes) == 3 and "kept" not in outcomes and len(set(outcomes)) == 3


def test_information_names_its_task(log: dict[str, Kept]) -> None:
    tenant = Tenant(servers=1)
    task = tenant.file(text=tenant.system.name)
    add_information(actor=tenant.site_manager, task_id=task.task_id, text="WAS 상태 점검")
    assert [(line["kind"], line["about"]) for line in log["intake"].lines] == [
        ("request", task.task_id),
        ("information", task.task_id),
    ]
    assert len(log["parser"].lines) == 2
