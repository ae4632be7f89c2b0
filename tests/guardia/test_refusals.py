"""Every refusal says who could do it instead: each place that refuses a person is found in the source, brought about
here, and its words name somebody else or a role."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings
from django.db import transaction

from accounts.choices import Role
from accounts.models import User
from guardia.common.errors import NotPermitted
from tests.guardia.refusal_cases import CASES, Case

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]

#: Refusals that aren't about the person: the same one may, with what the message asks for.
NOT_ABOUT_THE_PERSON = {
    "accounts/caller.py caller": "a view without a log-in: a defect of ours",
    "accounts/identity.py confirm_identity": "their password or code was wrong",
    "accounts/services/passwords.py change_password": "their password is kept in a directory",
    "execution/halts/lift.py lift_halt": "their password or code is asked for",
    "governance/services/bastion.py require_bastion": "it names the networks",
    "governance/services/decide_step.py decide_step": "their password or code is asked for",
    "guardia/api/token.py TokenView.post": "they set up their own password or code",
}


#: Cases whose words say how this very person can do it.
HOW_NOT_WHO = {"records unasked"}


class Site(NamedTuple):
    path: str
    function: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path} {self.function}"


def refusing_classes() -> set[str]:
    found, left = set(), [NotPermitted]
    while left:
        kind = left.pop()
        found.add(kind.__name__)
        left += kind.__subclasses__()
    return found


def sites() -> list[Site]:
    """Every `raise` of the product that refuses a person, with the function around it."""
    names = refusing_classes()
    found = []
    for app in (*settings.GUARDIA_APPS, "guardia"):
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            relative = str(path.relative_to(settings.BASE_DIR))
            for function, node in raises(ast.parse(path.read_text()), ""):
                if names & {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}:
                    found.append(Site(relative, function, node.lineno, node.end_lineno or node.lineno))
    return list(dict.fromkeys(found))


def raises(tree: ast.AST, around: str) -> Iterator[tuple[str, ast.Raise]]:
    for node in ast.iter_child_nodes(tree):
        inner = around
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = f"{around}.{node.name}".strip(".")
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield around, node
        yield from raises(node, inner)


def site_of(error: NotPermitted) -> tuple[str, int]:
    """Where the product raised it: the last frame of ours."""
    found, frame = ("", 0), error.__traceback__
    while frame is not None:
        path = Path(frame.tb_frame.f_code.co_filename)
        if path.is_relative_to(settings.BASE_DIR) and "tests" not in path.parts:
            found = (str(path.relative_to(settings.BASE_DIR)), frame.tb_lineno)
        frame = frame.tb_next
    return found


def test_every_refusal_is_brought_about_and_names_somebody_else_or_a_role() -> None:
    case, hit = Case(), set()
    for name, prepare in CASES.items():
        with transaction.atomic():
            actor, act = prepare(case)
            with pytest.raises(NotPermitted) as refused:
                act()
            hit.add(site_of(refused.value))
            if name not in HOW_NOT_WHO:
                assert names_somebody(str(refused.value), actor), (name, str(refused.value))
            transaction.set_rollback(True)
    missing = [
        str(site)
        for site in sites()
        if str(site) not in NOT_ABOUT_THE_PERSON
        and not any(path == site.path and site.first <= line <= site.last for path, line in hit)
    ]
    assert missing == [], "a refusal that no case here brings about"


def names_somebody(message: str, actor: User) -> bool:
    """A name as a word of its own (user1 isn't user12), or a role."""
    words = message.replace(",", " ").replace(".", " ").replace("“", " ").split()
    others = {str(user) for user in User.objects.filter(is_active=True).exclude(pk=actor.pk)}
    roles = [str(role.label).lower() for role in Role]
    return bool(others & set(words)) or any(role in message.lower() for role in roles)


def test_the_finder_finds() -> None:
    """Or the test above could pass on an empty list."""
    found = sites()
    assert len(found) > 35
    assert {str(site) for site in found} >= NOT_ABOUT_THE_PERSON.keys(), "an exception that is no more"
