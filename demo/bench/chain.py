"""The chain at work: appends by many writers, and the verification of a long chain beside a bare loop of SHA-256."""

import contextlib
import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Institution
from audit.chain import SEED_FIELDS, body_of, entry_hash
from audit.models import Chain, Verification
from audit.services.record import Draft, record_many

_WRITERS, _BATCH, _SECONDS = 16, 50, 10.0
_TIMES = 2  # the better one of each counts
_COLUMNS = ("action", "actor", "task_id", "object_type", "object_id")
_FACTS = {
    "commands": ["/srv/app/bin/shutdown.sh -force", "test -f '/srv/app/run/pid'"],
    "result_code": 0,
    "output_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "server": "bench-was-01",
    "system": "BENCH-WAS",
    "step": "stop",
}


def measure_chain(entries: int) -> Iterator[tuple[str, str, str]]:
    """(figure, asked for, measured), as they come."""
    institution = Institution.objects.get_or_create(code="BENCHCHAIN", defaults={"name": "체인성능시험원"})[0]
    rate = _appends(institution)
    yield f"appends to one chain, {_WRITERS} writers, {_BATCH} in a transaction", "≥ 4,000/s", f"{rate:,.0f}/s"
    chain = Chain.objects.get(key=f"institution:{institution.code}")
    _fill(chain, entries)
    bare = min(_bare_loop(chain) for _ in range(_TIMES))
    yield f"bare loop: COPY and SHA-256 of {entries:,} bodies", "", f"{bare:.1f} s"
    seconds, peak = min(_verification(chain) for _ in range(_TIMES))
    yield f"verification of {entries:,} entries", "≤ 30 s", f"{seconds:.1f} s"
    kept = Verification.objects.order_by("-pk")[:_TIMES]
    alone = min((one.finished_at - one.started_at).total_seconds() for one in kept)
    yield "without the start of the program", "", f"{alone:.1f} s"
    yield "ratio: verification without that start / bare loop", "≤ 3", f"{alone / bare:.2f}"
    yield "its peak memory, with the processes that it starts", "≤ 300 MiB", f"{peak:.0f} MiB"


def _appends(institution: Institution) -> float:
    """Entries per second of all writers together, through the product's own service."""
    written, ends = [0] * _WRITERS, time.monotonic() + _SECONDS
    drafts = [Draft(action="step.ok", actor="guardia-worker", task_id="OPS-20261121-001", facts=_FACTS)] * _BATCH

    def write(writer: int) -> None:
        try:
            while time.monotonic() < ends:
                with transaction.atomic():
                    record_many(drafts, institution=institution)
                written[writer] += _BATCH
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(_WRITERS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(written) / (time.monotonic() - started)


def _fill(chain: Chain, entries: int) -> None:
    """Up to `entries`, by COPY: what is measured is reading them."""
    number, before = chain.head_number, chain.head_hash
    texts = dict.fromkeys(("object", "source_ip", "channel", "run_id", "summary"), "")
    values = {"action": "step.ok", "actor": "guardia-worker", "task_id": "OPS-20261121-001"}
    columns = {**values, "object_type": "stepresult", "object_id": "31", "recorded_at": "2026-11-21T05:10:00.004000Z"}
    facts = {**columns, **texts, **SEED_FIELDS, **_FACTS, "facts": {"attempt": 1, "phase": "APPLY"}, "personal": None}
    names = f"chain_id, number, prev_hash, hash, body, recorded_at, {', '.join(_COLUMNS)}"
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.cursor.copy(f"COPY audit_entry ({names}) FROM STDIN") as copy:
            while number < entries:
                number += 1
                body = body_of(chain=chain.key, number=number, prev_hash=before, facts=facts)
                digest = entry_hash(body)
                rest = [columns["recorded_at"], *(columns[name] for name in _COLUMNS)]
                copy.write_row([chain.pk, number, before, digest, body.decode(), *rest])
                before = digest
        Chain.objects.filter(pk=chain.pk).update(head_number=number, head_hash=before)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE audit_entry")


def _bare_loop(chain: Chain) -> float:
    started, sha256 = time.monotonic(), hashlib.sha256
    query = "COPY (SELECT body FROM audit_entry WHERE chain_id = %s ORDER BY number) TO STDOUT"
    with transaction.atomic(), connection.cursor() as cursor, cursor.cursor.copy(query, [chain.pk]) as copy:
        for line in copy:
            sha256(b"\x00" + bytes(line)).digest()
    return time.monotonic() - started


def _verification(chain: Chain) -> tuple[float, float]:
    """Seconds and MiB of `manage.py audit_verify`, with the processes that it starts, from start to end."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "audit_verify", "--chain", chain.key]
    started, peak = time.monotonic(), 0
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [process, *process.children()]
            peak = max(peak, sum(one.memory_full_info().pss for one in family))
        time.sleep(0.1)
    if process.returncode:
        raise RuntimeError("the long chain doesn't verify")
    return time.monotonic() - started, peak / 2**20
