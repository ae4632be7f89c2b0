"""The door of the gateways: signed messages in, signed answers out. No session, no token, nobody's rights."""

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.exceptions import RateExceeded
from accounts.middleware import count_request
from accounts.models import Institution
from cmdb.models import Gateway
from execution.gate.halts import halts_of_institution, living_halts
from execution.gateways import giving, taking
from execution.gateways.door import may_enter
from execution.gateways.enrol import enrol_gateway
from execution.gateways.exceptions import ClearText, Revoked, Stranger
from execution.gateways.home import core_key
from execution.gateways.messages import (
    CHUNK,
    FORMAT,
    LARGEST_BODY,
    NAME,
    NONCE,
    PREFIX,
    SIGNATURE,
    TIME,
    Request,
    answer_bytes,
)
from execution.models import Halt, Run
from guardia.common.canonical import canonical_bytes
from guardia.common.context import current_trace
from guardia.common.errors import GuardiaError, InvalidInput, NotVisible
from guardia.common.signing import sign
from tickets.models.artefact import stored_path

logger = logging.getLogger(__name__)
Answer = dict[str, Any] | bytes
_LOOPBACK = ("127.", "::1")
_SMALL_BODY = 64 * 1024


def door(act: Callable[[Gateway, Any], Answer], largest: int = _SMALL_BODY) -> Callable[[HttpRequest], HttpResponse]:
    """A view for gateways in service. What is refused is signed too, once we know who asks."""

    def view(request: HttpRequest) -> HttpResponse:
        try:
            said, signature = _read(request, largest)
            gateway = may_enter(said, signature, current_trace().source_ip)
        except Revoked as error:
            return _signed(said, error.http_status, {"code": error.code})
        except GuardiaError as error:
            return _unsigned(request, error)
        try:
            status, answer = 200, act(gateway, json.loads(said.body))
        except GuardiaError as error:
            status, answer = error.http_status, {"code": error.code}
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("gateway %s: a message that can't be read (%s)", said.gateway, type(error).__name__)
            status, answer = 400, {"code": "invalid"}
        return _signed(said, status, answer)

    return csrf_exempt(require_POST(view))


@csrf_exempt
@require_POST
def enrol(request: HttpRequest) -> HttpResponse:
    """A gateway that isn't known yet: its keys, by its one-time code."""
    try:
        said, signature = _read(request, _SMALL_BODY)
        return _signed(said, 200, dict(enrol_gateway(request=said, signature=signature)))
    except GuardiaError as error:
        return _unsigned(request, error)


def _pull(gateway: Gateway, said: dict[str, Any]) -> Answer:
    """What holds now, and what there is to do. `have`: the orders that the gateway has kept already."""
    if said["format"] != FORMAT:
        raise InvalidInput(code="other_format")
    taking.check_head(gateway, int(said["head"][0]), str(said["head"][1]))
    Gateway.objects.filter(pk=gateway.pk).update(
        version=str(said["version"])[:32], backlog=max(0, int(said["backlog"]))
    )
    giving.give_orders(gateway)
    orders = list(giving.open_orders(gateway))
    runs = sorted({order.host_run.wave.run_id for order in orders} | _living(gateway, said["runs"]))
    have = {int(number) for number in said["have"]}
    return {
        "format": FORMAT,
        "taken": gateway.taken_number,
        "sites": sorted(gateway.sites.values_list("code", flat=True)),
        "when_away": gateway.when_away,
        "away_seconds": gateway.away_seconds,
        "runs": runs,
        "halts": [_halt(row) for row in _halts(gateway.institution, runs)],
        "orders": [giving.order_document(order) for order in orders if order.pk not in have],
        "taken_back": sorted(gateway.orders.filter(pk__in=have, settled_at__isnull=False).values_list("pk", flat=True)),
    }


def _part(gateway: Gateway, said: dict[str, Any]) -> Answer:
    return giving.part_document(gateway, int(said["run"]))


def _artefact(gateway: Gateway, said: dict[str, Any]) -> Answer:
    """A piece of a stored file, from `offset` on: one that was cut off is asked for from there."""
    digest, offset = str(said["sha256"]), int(said["offset"])
    if digest not in giving.wanted_files(gateway) or offset < 0:
        raise NotVisible
    try:
        with stored_path(digest).open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK)
    except OSError as error:
        raise NotVisible from error


def _parcel(gateway: Gateway, said: dict[str, Any]) -> Answer:
    keys = said.get("keys", [])
    return {"taken": taking.take_parcel(gateway, int(said["number"]), str(said["body"]), keys), "keys": len(keys)}


pull, part, artefact = door(_pull), door(_part), door(_artefact)
parcel = door(_parcel, LARGEST_BODY)


def _living(gateway: Gateway, pks: list[Any]) -> set[int]:
    """Which of the runs that the gateway knows haven't ended: their rows and credentials stay there."""
    rows = Run.objects.filter(pk__in=[int(pk) for pk in pks[:10_000]], finished_at=None)
    return set(rows.filter(task__institution=gateway.institution_id).values_list("pk", flat=True))


def _halts(institution: Institution, runs: list[int]) -> list[Halt]:
    return [*halts_of_institution(institution.pk), *living_halts().filter(run__in=runs)]


def _halt(row: Halt) -> dict[str, Any]:
    return {"run": row.run_id, "reason": row.reason, "halted_as": row.halted_as, "rolls_back": row.rolls_back}


def _read(request: HttpRequest, largest: int) -> tuple[Request, str]:
    """The message as it came. Raises ClearText, InvalidInput, Stranger."""
    if not request.is_secure() and not str(request.META.get("REMOTE_ADDR", "")).startswith(_LOOPBACK):
        raise ClearText
    body = request.read(largest + 1)
    if len(body) > largest:
        raise InvalidInput(code="too_large")
    try:
        moment = int(request.headers.get(TIME, ""))
    except ValueError as error:
        raise Stranger from error
    name, nonce = unquote(request.headers.get(NAME, ""))[:64], request.headers.get(NONCE, "")[:64]
    said = Request(name, request.path.removeprefix(PREFIX), moment, nonce, body)
    return said, request.headers.get(SIGNATURE, "")[:512]


def _signed(said: Request, status: int, answer: Answer) -> HttpResponse:
    body = answer if isinstance(answer, bytes) else canonical_bytes(answer)
    kind = "application/octet-stream" if isinstance(answer, bytes) else "application/json"
    response = HttpResponse(body, status=status, content_type=kind)
    response[SIGNATURE] = sign(core_key(), answer_bytes(said, status, body))
    return response


def _unsigned(request: HttpRequest, error: GuardiaError) -> HttpResponse:
    """To somebody whom no signature names: a stranger, who has a stranger's rate."""
    try:
        count_request(request, None)
    except RateExceeded as refusal:
        error = refusal
    return HttpResponse(
        canonical_bytes({"code": error.code}), status=error.http_status, content_type="application/json"
    )
