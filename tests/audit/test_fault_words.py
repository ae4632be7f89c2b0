"""Whatever a verification can find is said in Korean; what is kept of it stays English."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.utils.translation import override

from accounts.choices import Role
from audit.fault_words import DETAILS, fault_words
from audit.services.verify import verify
from tests.audit.forgery import forge, make_chain
from tests.doors import browser
from tests.factories import make_user

_MODULES = ["audit.seal", *(f"audit.verifying.{name}" for name in ("diagnosis", "one_chain", "all_chains"))]
_PLACE = {"Fault": 3, "fault": 1}


def _sentences(tree: ast.AST) -> Iterator[str]:
    """What is given as a fault's detail, directly or by a name; “7” for each value."""
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        place = _PLACE.get(getattr(node.func, "id", "")) if isinstance(node, ast.Call) else None
        if place is None or len(node.args) <= place:  # type: ignore[attr-defined]
            continue
        said = node.args[place]  # type: ignore[attr-defined]
        for text in named.get(said.id, []) if isinstance(said, ast.Name) else [said]:
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value
            elif isinstance(text, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in text.values)


def test_every_detail_has_its_korean() -> None:
    sources = [Path(str(import_module(name).__file__)).read_text(encoding="utf-8") for name in _MODULES]
    found = [sentence for source in sources for sentence in _sentences(ast.parse(source))]
    assert len(set(found)) == len(DETAILS)
    with override("ko"):
        assert [sentence for sentence in found if fault_words(sentence) == sentence] == []


def test_a_detail_that_nobody_knows_stays_as_it_is() -> None:
    with override("ko"):
        assert fault_words("something else") == "something else"


@pytest.mark.django_db
def test_pages_say_it_in_korean_and_the_record_keeps_english() -> None:
    chain = make_chain(4)
    forge("DELETE FROM audit_entry WHERE chain_id = %s AND number = 2", chain.pk)
    outcome = verify(mode="FULL", actor="test")
    assert outcome.verification.faults[0]["detail"] == "entry 2 is missing"
    visit = browser(make_user(Role.SECURITY_OFFICER), "ko")
    pages = [
        visit.get(f"/admin/audit/verification/{outcome.verification.pk}/change/"),
        visit.get("/admin/audit/integrityhold/"),
        visit.post("/admin/audit/chain/verify/"),
    ]
    assert "2번 기록이 없습니다" in pages[0].content.decode() and "2번 기록이 없습니다" in pages[2].content.decode()
    assert all("is missing" not in page.content.decode() for page in pages)
