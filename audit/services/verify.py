from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from audit.chain import genesis, scope_of
from audit.choices import STOPPING, HoldStatus, Mode
from audit.models import Chain, IntegrityHold, Verification
from audit.seal import CHECKPOINTS, Fault
from audit.services.record import record
from audit.signals import integrity_broken
from audit.verifying.all_chains import Report, verify_all
from audit.verifying.one_chain import Progress, Reached
from guardia.common.clock import now


@dataclass(frozen=True, slots=True)
class Outcome:
    report: Report
    verification: Verification


def verify(
    *,
    mode: Mode,
    actor: User | str,
    chains: QuerySet[Chain] | None = None,
    against: Sequence[str] | None = None,
    progress: Progress | None = None,
    since: dict[str, Reached] | None = None,
) -> Outcome:
    """Verify, keep what was found, mark what is broken and stop executions there; lift what is whole again.

    The incremental mode goes on where the last whole verification ended. Only one of everything may lift a hold.
    """
    started = now()
    if since is None:
        since = _reached() if mode == Mode.INCREMENTAL else {}
    report = verify_all(chains, since=since, against=against, progress=progress)
    with transaction.atomic():
        verification = Verification.objects.create(
            mode=mode,
            actor=actor if isinstance(actor, str) else actor.get_username(),
            started_at=started,
            finished_at=now(),
            entries=sum(
                chain.entries - since[chain.chain].number if chain.chain in since else chain.entries
                for chain in report.chains
            ),
            checkpoints=report.checkpoints,
            is_intact=report.is_intact,
            faults=[asdict(fault) for fault in report.faults],
            reached={
                chain.chain: [chain.entries, chain.head_hash]
                for chain in report.chains
                if chain.fault is None and chain.entries
            },
        )
        _react(report, is_full=mode == Mode.FULL and chains is None and not since)
    return Outcome(report, verification)


def _reached() -> dict[str, Reached]:
    """Chain → the last sound entry of an earlier verification. Marks that say nothing begin at the genesis."""
    found: dict[str, Reached] = {}
    for row in Verification.objects.order_by("-pk").values_list("reached", flat=True)[:50]:
        for key, (number, digest) in row.items():
            if key not in found and digest != genesis(key):
                found[key] = Reached(int(number), str(digest))
    return found


def _react(report: Report, *, is_full: bool) -> None:
    """One open hold per chain; told once. A fault that two people have accepted stays told, and stops nothing more."""
    accepted = set(IntegrityHold.objects.filter(status=HoldStatus.ACCEPTED).values_list("chain", "number", "kind"))
    open_holds = {hold.chain: hold for hold in IntegrityHold.objects.select_for_update().filter(status__in=STOPPING)}
    for fault in report.faults:
        if fault.chain not in open_holds and (fault.chain, fault.number, fault.kind) not in accepted:
            open_holds[fault.chain] = _hold(fault)
    if not is_full:
        return
    broken = {fault.chain for fault in report.faults}
    for key, hold in open_holds.items():
        if key not in broken:
            hold.status, hold.decided_at = HoldStatus.RESTORED, now()
            hold.save(update_fields=["status", "decided_at"])
            record(action="integrity.restored", actor="guardia", institution=None, subject=hold, chain=key)


def _hold(fault: Fault) -> IntegrityHold:
    chain = Chain.objects.filter(key=fault.chain).first()
    serves = chain.serves if chain else fault.chain
    hold = IntegrityHold.objects.create(
        scope=scope_of(serves) if fault.chain != CHECKPOINTS else "",
        chain=fault.chain,
        number=fault.number,
        until=fault.until,
        kind=fault.kind,
        detail=fault.detail[:500],
    )
    facts: dict[str, Any] = {"chain": hold.chain, "number": hold.number, "until": hold.until, "kind": hold.kind}
    words = fault.detail
    record(action="integrity.broken", actor="guardia", institution=None, subject=hold, summary=words, **facts)
    transaction.on_commit(lambda: integrity_broken.send(IntegrityHold, hold=hold))
    return hold
