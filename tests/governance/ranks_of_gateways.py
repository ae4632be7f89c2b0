"""The acts of rank on gateways, as in `ranks`."""

from collections.abc import Callable
from typing import Any

from cmdb.models import Gateway
from execution.gateways import keeping
from execution.gateways.messages import fingerprint
from execution.gateways.take_back import take_back_servers
from execution.models import GatewayOrder, HostRun
from execution.rollout.start_run import start_run
from tests.governance.ranks import Act, Office


def _gateway(o: Office, state: str = "WAITING") -> int:
    keys = {"sign_key": "s", "seal_key": "k"} if state != "WAITING" else {}
    return Gateway.objects.create(institution=o.institution, code="g", name="g", state=state, **keys).pk


def _take_back(o: Office) -> Act:
    pk, (task, _plan) = _gateway(o, "ACTIVE"), o.approved()
    run = start_run(task.pk)
    assert run is not None
    GatewayOrder.objects.create(gateway_id=pk, host_run=HostRun.objects.get(wave__run=run), phase="APPLY")
    return lambda: take_back_servers(actor=o.admin, gateway_pk=pk, task_id=task.task_id, reason="x")


def _gateway_act(service: Callable[..., Any], state: str = "ACTIVE", **given: Any) -> Callable[[Office], Act]:
    def ready(o: Office) -> Act:
        pk = _gateway(o, state)
        return lambda: service(actor=o.admin, gateway_pk=pk, **given)

    return ready


ACTS: dict[str, Callable[[Office], Act]] = {
    "add_gateway": lambda o: (
        lambda: keeping.add_gateway(
            actor=o.admin, institution=o.institution, code="g", name="g", when_away="HALT", away_seconds=60
        )
    ),
    "renew_code": _gateway_act(keeping.renew_code, "WAITING"),
    "confirm_gateway": _gateway_act(keeping.confirm_gateway, "SHOWN", seen=fingerprint("s", "k")),
    "set_gateway_sites": _gateway_act(keeping.set_gateway_sites, site_pks=[]),
    "set_gateway_policy": _gateway_act(keeping.set_gateway_policy, when_away="HALT", away_seconds=60),
    "revoke_gateway": _gateway_act(keeping.revoke_gateway, reason="x"),
    "take_back_servers": _take_back,
}
