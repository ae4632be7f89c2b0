"""The one write of the chain."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from accounts.models import Institution, User
from audit.chain import body_of, entry_hash, genesis
from audit.models import SYSTEM_CHAIN, Chain, Entry
from guardia.common.canonical import moment_text
from guardia.common.clock import now
from guardia.common.context import current_trace
from guardia.common.masking import mask


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
    `facts` hold what else matters (command, result code, output SHA-256, host, ...): canonical JSON values.
    Outside a transaction it raises: an entry that could be committed without its change proves nothing.
    The chain's row stays locked until the caller commits; take it last.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("audit.record needs the transaction of the change it tells of")
    key = f"institution:{institution.code}" if institution is not None else SYSTEM_CHAIN
    chain = _locked(key)
    number = chain.head_number + 1
    trace = current_trace()
    moment = now()
    columns = {
        "recorded_at": moment_text(moment),
        "action": action,
        "actor": _actor_text(actor),
        "task_id": task_id,
        "object_type": ContentType.objects.get_for_model(subject).model if subject is not None else "",
        "object_id": str(subject.pk) if subject is not None else "",
    }
    body = body_of(
        chain=key,
        number=number,
        prev_hash=chain.head_hash,
        facts={
            **columns,
            "object": mask(str(subject)) if subject is not None else "",
            "summary": mask(summary),
            "source_ip": trace.source_ip,
            "channel": trace.channel,
            "run_id": trace.run_id,
            "facts": facts,
        },
    )
    entry = Entry.objects.create(
        **{**columns, "recorded_at": moment},
        chain=chain,
        number=number,
        body=body.decode(),
        prev_hash=chain.head_hash,
        hash=entry_hash(body),
    )
    chain.head_number, chain.head_hash = number, entry.hash
    chain.save(update_fields=["head_number", "head_hash"])
    return entry


def _locked(key: str) -> Chain:
    locked = Chain.objects.select_for_update().filter(key=key)
    chain = locked.first()
    if chain is None:
        Chain.objects.get_or_create(key=key, defaults={"head_hash": genesis(key)})
        chain = locked.get()
    return chain


def _actor_text(actor: User | str) -> str:
    """People are named by id, login and name of that moment; names may change later, the entry doesn't."""
    return actor if isinstance(actor, str) else f"user:{actor.pk}:{actor.get_username()}"
