"""The one write of entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q

from accounts.models import Institution, User
from audit.chain import SEED_FIELDS, body_of, entry_hash, genesis
from audit.models import SYSTEM_CHAIN, Chain, Entry
from guardia.common.canonical import moment_text
from guardia.common.clock import now
from guardia.common.context import current_trace
from guardia.common.masking import mask


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
    `output_sha256` become fields of the entry itself (`audit.chain.SEED_FIELDS`).
    Outside a transaction it raises: an entry that could be committed without its change proves nothing.
    The chain's row stays locked until the caller commits; take it last.
    """
    return record_many([Draft(action, actor, subject, task_id, summary, facts)], institution=institution)[0]


def record_many(drafts: Sequence[Draft], *, institution: Institution | None) -> list[Entry]:
    """The same for what happened to many things of one institution at once, in this order: the chain is locked once."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("audit.record needs the transaction of the change it tells of")
    key = f"institution:{institution.code}" if institution is not None else SYSTEM_CHAIN
    chain = _locked(key)
    entries = [_next_entry(chain, draft) for draft in drafts]
    Entry.objects.bulk_create(entries)
    chain.save(update_fields=["head_number", "head_hash"])
    return entries


def _next_entry(chain: Chain, draft: Draft) -> Entry:
    """The entry after the chain's head, unsaved; the head in memory moves on to it."""
    subject, trace, moment = draft.subject, current_trace(), now()
    columns = {
        "recorded_at": moment_text(moment),
        "action": draft.action,
        "actor": _actor_text(draft.actor),
        "task_id": draft.task_id,
        "object_type": ContentType.objects.get_for_model(subject).model if subject is not None else "",
        "object_id": str(subject.pk) if subject is not None else "",
    }
    body = body_of(
        chain=chain.key,
        number=chain.head_number + 1,
        prev_hash=chain.head_hash,
        facts={
            **columns,
            "object": mask(str(subject)) if subject is not None else "",
            "summary": mask(draft.summary),
            "source_ip": trace.source_ip,
            "channel": trace.channel,
            "run_id": trace.run_id,
            **{name: draft.facts.get(name, unknown) for name, unknown in SEED_FIELDS.items()},
            "facts": {name: value for name, value in draft.facts.items() if name not in SEED_FIELDS},
        },
    )
    entry = Entry(
        **{**columns, "recorded_at": moment},
        chain=chain,
        number=chain.head_number + 1,
        body=body.decode(),
        prev_hash=chain.head_hash,
        hash=entry_hash(body),
    )
    chain.head_number, chain.head_hash = entry.number, entry.hash
    return entry


def _locked(scope: str) -> Chain:
    """The open chain of this scope, locked. One that was closed while we waited for its lock is left alone."""
    of_scope = Q(key=scope) | Q(scope=scope)
    locked = Chain.objects.select_for_update().filter(of_scope, is_closed=False).order_by("-pk")
    chain = locked.first()
    if chain is None and Chain.objects.filter(of_scope).exists():
        chain = locked.get()  # its successor was committed together with the closing
    if chain is None:
        Chain.objects.get_or_create(key=scope, defaults={"head_hash": genesis(scope)})
        chain = locked.get()
    return chain


def _actor_text(actor: User | str) -> str:
    """People are named by id, login and name of that moment; names may change later, the entry doesn't."""
    return actor if isinstance(actor, str) else f"user:{actor.pk}:{actor.get_username()}"
