"""The one write of entries."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.db.models import Q

from accounts.models import Institution, User
from audit.chain import SEED_FIELDS, body_of, entry_hash, gateway_chain, genesis
from audit.data_keys import Cipher, Place, ciphers_for
from audit.models import SYSTEM_CHAIN, Chain, Entry
from audit.personal import personal_part, seal_part
from guardia.common.bulk import copy_rows, update_rows
from guardia.common.canonical import moment_text
from guardia.common.clock import now
from guardia.common.context import current_trace
from guardia.common.masking import mask

#: The act after which nothing more is sealed with the data keys that writers remember.
KEY_ERASED = "data_key.erased"
_OPEN_CHAINS = """
    SELECT * FROM audit_chain WHERE (key = ANY(%s) OR scope = ANY(%s)) AND NOT is_closed ORDER BY key FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry to be written: what `record` takes, but for the institution."""

    action: str
    actor: User | str
    subject: models.Model | None = None
    task_id: str = ""
    summary: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def record(
    *,
    action: str,
    actor: User | str,
    institution: Institution | None,
    subject: models.Model | None = None,
    task_id: str = "",
    summary: str = "",
    **facts: Any,
) -> Entry:
    """Append what just happened to the institution's chain (the system's when None), in the caller's transaction.

    `action` is past tense, dotted ("approval.step_approved"); `actor` a user, or the name of a process in words.
    `facts` hold what else matters: canonical JSON values. `system`, `server`, `step`, `commands`, `result_code` and
    `output_sha256` become fields of the entry itself (`audit.chain.SEED_FIELDS`). What speaks of people is sealed
    (`audit.personal` says what).
    Outside a transaction it raises: an entry that could be committed without its change proves nothing.
    The chain's row stays locked until the caller commits; take it last.
    """
    [entry] = _append([(institution, Draft(action, actor, subject, task_id, summary, facts))])
    entry.save(force_insert=True)
    return entry


def record_many(drafts: Iterable[Draft], *, institution: Institution | None) -> None:
    """The same for what happened to many things of one institution at once, in this order: the chain is locked once."""
    record_across((institution, draft) for draft in drafts)


def record_across(drafts: Iterable[tuple[Institution | None, Draft]]) -> None:
    """The same for what happened in several institutions at once: their chains are locked together, ordered by key."""
    copy_rows(_append(drafts))


def _append(drafts: Iterable[tuple[Institution | None, Draft]]) -> list[Entry]:
    """The entries to be stored now, their chains moved on to them."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("audit.record needs the transaction of the change it tells of")
    keyed = [(_scope(place), draft) for place, draft in drafts]
    chains = _locked({key for key, _draft in keyed})
    if any(draft.action == KEY_ERASED for _key, draft in keyed):
        for chain in chains.values():
            chain.key_epoch += 1
    told = [_told(chains[key], draft) for key, draft in keyed]
    places = (one.place for one in told if one.personal)
    ciphers = ciphers_for(places, {chain.pk: chain for chain in chains.values()})
    entries = [_next_entry(one, ciphers.get(one.place)) for one in told]
    update_rows(list(chains.values()), ["head_number", "head_hash", "key_epoch"])
    return entries


def _scope(place: Institution | None) -> str:
    """Whose chain tells it. A gateway has one chain, for all that happens there: it is handed over as it is."""
    if settings.GUARDIA_GATEWAY:
        return gateway_chain(settings.GUARDIA_GATEWAY)
    return f"institution:{place.code}" if place is not None else SYSTEM_CHAIN


class _Told(NamedTuple):
    """What one entry will say, before it has its place in the chain."""

    chain: Chain
    moment: datetime
    columns: dict[str, str]
    said: dict[str, Any]
    personal: dict[str, Any]
    place: Place


def _told(chain: Chain, draft: Draft) -> _Told:
    subject, trace, moment = draft.subject, current_trace(), now()
    columns = {
        "recorded_at": moment_text(moment),
        "action": draft.action,
        "actor": _actor_text(draft.actor),
        "task_id": draft.task_id,
        "object_type": ContentType.objects.get_for_model(subject).model if subject is not None else "",
        "object_id": str(subject.pk) if subject is not None else "",
    }
    said = {
        "object": mask(str(subject)) if subject is not None else "",
        "summary": mask(draft.summary),
        "source_ip": trace.source_ip,
        "channel": trace.channel,
        "run_id": trace.run_id,
        **{name: draft.facts.get(name, unknown) for name, unknown in SEED_FIELDS.items()},
    }
    facts = {name: value for name, value in draft.facts.items() if name not in SEED_FIELDS}
    personal = personal_part(columns["object_type"], said, facts)
    hidden = personal.get("facts", {})
    said |= {name: "" for name in personal if name != "facts"}
    said["facts"] = {name: value for name, value in facts.items() if name not in hidden}
    return _Told(chain, moment, columns, said, personal, (chain.pk, _whom(draft, moment)))


def _whom(draft: Draft, moment: datetime) -> str:
    """Whom or what an entry is about: what it says of people is erased together."""
    subject = draft.subject
    if isinstance(subject, User):
        return f"user:{subject.pk}"
    user_pk = getattr(subject, "user_id", None)
    if user_pk is not None:
        return f"user:{user_pk}"
    return f"task:{draft.task_id}" if draft.task_id else f"{moment:%Y-%m}"


def _next_entry(told: _Told, cipher: Cipher | None) -> Entry:
    """The entry after the chain's head, unsaved; the head in memory moves on to it."""
    chain, number, prev_hash = told.chain, told.chain.head_number + 1, told.chain.head_hash
    sealed = None
    if cipher is not None and told.personal:
        sealed = seal_part(cipher.aead, cipher.key_id, told.personal, chain.key, number)
    body = body_of(
        chain=chain.key, number=number, prev_hash=prev_hash, facts={**told.columns, **told.said, "personal": sealed}
    )
    entry = Entry(
        **{**told.columns, "recorded_at": told.moment},
        chain=chain,
        number=number,
        body=body.decode(),
        prev_hash=prev_hash,
        hash=entry_hash(body),
    )
    chain.head_number, chain.head_hash = entry.number, entry.hash
    return entry


def _locked(scopes: Set[str]) -> dict[str, Chain]:
    """The open chain of each scope, locked in the order of their keys; those that are missing begin. One that was
    closed while we waited for its lock is left alone: its successor was committed together with the closing."""
    if len(scopes) > 1:  # before any is locked: else two who begin each other's chains would wait for one another
        _begin(scopes)
    chains = _lock(scopes)
    if len(chains) < len(scopes):
        _begin(scopes)
        chains = _lock(scopes)
    return chains


def _lock(scopes: Set[str]) -> dict[str, Chain]:
    of_scopes = Chain.objects.raw(_OPEN_CHAINS, [list(scopes), list(scopes)])  # as text: each entry asks for it
    return {chain.serves: chain for chain in of_scopes}


def _begin(scopes: Set[str]) -> None:
    begun = Chain.objects.filter(Q(key__in=scopes) | Q(scope__in=scopes))
    for scope in sorted(scopes - {chain.serves for chain in begun}):
        Chain.objects.get_or_create(key=scope, defaults={"head_hash": genesis(scope)})


def _actor_text(actor: User | str) -> str:
    """People are named by id, login and name of that moment; names may change later, the entry doesn't."""
    return actor if isinstance(actor, str) else f"user:{actor.pk}:{actor.get_username()}"
