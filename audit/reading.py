"""What an entry says, with its personal part where the reader may see it and its key is still there."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution, User
from audit.chain import scope_of
from audit.data_keys import opened
from audit.models import Chain, Entry
from audit.personal import open_part
from audit.roles import is_reader


class Part(TextChoices):
    """What became of an entry's personal part."""

    NONE = "NONE", _("None")
    OPEN = "OPEN", _("Readable")
    SEALED = "SEALED", _("Sealed; auditors, security officers and administrators can read it")
    ERASED = "ERASED", _("Erased")
    LOCKED = "LOCKED", _("Its key isn't here")
    BROKEN = "BROKEN", _("It doesn't open with its key: it was altered or moved")


class Told(NamedTuple):
    body: dict[str, Any]
    part: Part


def told_to(user: User, entries: Iterable[Entry]) -> list[Told]:
    """What each entry says to this reader, who may see it; in their order."""
    rows = list(entries)
    readable = {chain: may_read_personal(user, chain) for chain in {row.chain for row in rows}}
    return [
        found if readable[row.chain] or found.part == Part.NONE else Told(json.loads(row.body), Part.SEALED)
        for row, found in zip(rows, told(rows), strict=True)
    ]


def told(entries: Iterable[Entry]) -> list[Told]:
    """What each entry says, whoever asks: for code that has decided that already."""
    bodies = [(row, json.loads(row.body)) for row in entries]
    keys = opened(body["personal"]["key"] for _row, body in bodies if body.get("personal"))
    found = []
    for row, body in bodies:
        personal = body.get("personal")
        key = keys.get(personal["key"]) if personal else None
        if not personal:
            found.append(Told(body, Part.NONE))
        elif key is None or key.aead is None:
            found.append(Told(body, Part.ERASED if key is not None and key.is_erased else Part.LOCKED))
        else:
            part = open_part(key.aead, personal, row.chain.key, row.number)
            found.append(Told(_merged(body, part), Part.OPEN) if part is not None else Told(body, Part.BROKEN))
    return found


def may_read_personal(user: User, chain: Chain) -> bool:
    """In the chain's institution; of the system's chain those who hold such a role everywhere."""
    return is_reader(user, institution_id_of(chain))


def institution_id_of(chain: Chain) -> int | None:
    institution = institution_of(chain)
    return institution.pk if institution is not None else None


def institution_of(chain: Chain) -> Institution | None:
    """Whose business the chain is; None: everybody's."""
    code = scope_of(chain.serves).removeprefix("institution:")
    return Institution.objects.filter(code=code).first() if code else None


def _merged(body: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return {**body, **part, "facts": {**body["facts"], **part.get("facts", {})}}
