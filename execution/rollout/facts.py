"""What runs saw of servers, kept beside them."""

from collections.abc import Sequence

from cmdb.models import EnvironmentProfile, Server
from execution.facts.compare import adapted
from execution.gate.session import Outcome
from execution.models import ServerFacts


def keep_facts(seen: Sequence[tuple[Server, Outcome]]) -> None:
    """Keep the facts, and what is taken over: a server's next plan expects that. The run itself goes on under the plan
    that was approved; what is adaptable is part of no command. The run holds the servers' locks."""
    if not seen:
        return
    pks = [server.pk for server, _outcome in seen]
    before = {row.server_id: row for row in ServerFacts.objects.filter(server__in=pks)}
    revisions = dict(EnvironmentProfile.objects.filter(servers__in=pks).values_list("pk", "revision"))
    rows = [_row(before.get(server.pk), server, outcome, revisions) for server, outcome in seen]
    names = ["named", "paths", "drift", "adapted", "profile_revision", "seen_at"]
    ServerFacts.objects.bulk_create(rows, update_conflicts=True, unique_fields=["server"], update_fields=names)


def _row(before: ServerFacts | None, server: Server, outcome: Outcome, revisions: dict[int, int]) -> ServerFacts:
    assert outcome.facts is not None, "looked at before"
    revision = revisions[server.profile_id]
    kept = before.adapted if before is not None and before.profile_revision == revision else {}
    return ServerFacts(
        server=server,
        named=dict(outcome.facts.named),
        paths=dict(outcome.facts.paths),
        drift=outcome.drift,
        adapted={**kept, **adapted(outcome.drift)},
        profile_revision=revision,
    )
