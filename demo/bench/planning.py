"""The planning of a tiered rollout of very many servers: from their rows to the waves, and to the whole frozen plan."""

import time
from collections.abc import Iterator

from django.db import transaction

from accounts.models import Institution
from cmdb.models import Credential, EnvironmentProfile, Server, Site, System
from execution.plan.build import candidate_of, planned_servers
from execution.plan.dry_run import dry_run
from execution.plan.waves import plan_waves
from execution.playbooks.publish import SHIPPED
from execution.playbooks.schema import parse_playbook
from execution.playbooks.strategy import Strategy
from guardia.common.canonical import canonical_bytes

_TIERED = Strategy(by="tier", tier=3, batches=("1%", "50", "100%"))
_PLAYBOOK = "service_restart"
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


def measure_planning(count: int) -> Iterator[tuple[str, str, str]]:
    """(figure, asked for, measured). The rows are gone afterwards."""
    with transaction.atomic():
        system = _fill(count)
        started = time.monotonic()
        rows = Server.objects.filter(system=system).select_related("site")
        waves = plan_waves(map(candidate_of, rows), _TIERED)
        seconds = time.monotonic() - started
        yield f"tiered rollout of {count:,} servers: rows → {len(waves)} waves", "≤ 5 s", f"{seconds:.2f} s"
        started, cpu = time.monotonic(), time.process_time()
        definition = parse_playbook((SHIPPED / f"{_PLAYBOOK}.yaml").read_text(encoding="utf-8"))
        size = len(canonical_bytes(dry_run(definition, planned_servers(Server.objects.filter(system=system)), {})))
        seconds, cpu = time.monotonic() - started, time.process_time() - cpu
        figure = f"the whole plan of a restart: every command of {count:,} servers, checked ({size >> 20} MiB)"
        yield figure, "≤ 5 s", f"{seconds:.1f} s ({cpu:.1f} s of the processor)"
        transaction.set_rollback(True)


def _fill(count: int) -> System:
    """Pairs of nodes on sites of all tiers: a fifth is critical, a half for tests."""
    institution = Institution.objects.create(code="BENCHPLAN", name="계획성능시험원")
    sites = [
        Site.objects.create(institution=institution, code=f"BENCHPLAN-{tier}", name="센터", tier=tier)
        for tier in (1, 2, 3)
    ]
    system = System.objects.create(institution=institution, code="BENCHPLAN", name="계획성능시험시스템")
    profile = EnvironmentProfile.objects.create(institution=institution, name="tomcat")
    credential = Credential.objects.create(
        institution=institution, name="login", kind="password", username="was", sealed=b"-"
    )
    Server.objects.bulk_create(
        (
            Server(
                system=system,
                site=sites[0 if number % 10 < 2 else 1 if number % 10 < 5 else 2],
                profile=profile,
                credential=credential,
                hostname=f"bench-plan-{number:05}",
                role="was",
                number=number % 30_000,
                address="127.0.0.1",
                home_dir="/srv/app",
                redundancy_group=f"pair-{number // 2}",
                host_keys=[_KEY],
            )
            for number in range(count)
        ),
        batch_size=1000,
    )
    return system
