"""A gateway whose every word is the test's: it signs what it likes and sends it to the core's door in this process."""

import json
import secrets
import time
from dataclasses import replace
from typing import Any

from django.test import Client

from accounts.choices import Role
from cmdb.models import Gateway
from execution.gateways import keeping
from execution.gateways.home import core_key
from execution.gateways.messages import (
    FORMAT,
    NAME,
    NONCE,
    PREFIX,
    SIGNATURE,
    TIME,
    Request,
    answer_bytes,
    enrolment_mac,
    fingerprint,
    parcel_digest,
)
from guardia.common.canonical import canonical_bytes
from guardia.common.signing import is_signed, new_key, public_key, sign
from tests.factories import Tenant, make_user


class ScriptedGateway:
    """In service after `join` and `confirm`; `ask` sends one message and gives status and answer."""

    def __init__(self, tenant: Tenant, code: str = "far", **policy: Any) -> None:
        self.tenant = tenant
        self.admin = make_user(Role.ADMINISTRATOR, tenant.institution)
        given = {"when_away": "FINISH", "away_seconds": 60, **policy}
        self.row, self.code = keeping.add_gateway(
            actor=self.admin, institution=tenant.institution, code=code, name=f"{code} gateway", **given
        )
        self.name = self.row.full_code
        self.sign_key, self.seal_key = new_key(), new_key()
        self.number, self.digest = 0, ""
        self.client = Client()

    @property
    def public(self) -> tuple[str, str]:
        return public_key(self.sign_key), public_key(self.seal_key)

    def in_service(self) -> "ScriptedGateway":
        sites = [server.site_id for server in self.tenant.servers]
        keeping.set_gateway_sites(actor=self.admin, gateway_pk=self.row.pk, site_pks=sites)
        assert self.join()[0] == 200
        keeping.confirm_gateway(actor=self.admin, gateway_pk=self.row.pk, seen=fingerprint(*self.public))
        return self

    def join(self, code: str = "", **said: str) -> tuple[int, Any]:
        keys = dict(zip(("sign_key", "seal_key"), self.public, strict=True))
        mac = enrolment_mac(code or self.code, self.name, **keys)
        return self.ask("enrol", {**keys, "mac": mac, **said})

    def message(self, path: str, said: Any, **changes: Any) -> Request:
        request = Request(self.name, path, int(time.time()), secrets.token_hex(16), canonical_bytes(said))
        return replace(request, **changes)

    def ask(self, path: str, said: Any, **changes: Any) -> tuple[int, Any]:
        return self.send(self.message(path, said, **changes))

    def send(self, request: Request, signature: str = "", **options: Any) -> tuple[int, Any]:
        """The answer, when the core signed it; the bare body in text otherwise."""
        headers = {
            NAME: request.gateway,
            TIME: str(request.time),
            NONCE: request.nonce,
            SIGNATURE: signature or sign(self.sign_key, request.signed_bytes()),
        }
        response = self.client.post(
            PREFIX + request.path, request.body, content_type="application/json", headers=headers, **options
        )
        body = response.content
        if SIGNATURE not in response.headers:
            return response.status_code, body.decode()
        signed = answer_bytes(request, response.status_code, body)
        assert is_signed(public_key(core_key()), signed, response.headers[SIGNATURE])
        is_json = response.headers["Content-Type"] == "application/json"
        return response.status_code, json.loads(body) if is_json else body

    def pull(self, **said: Any) -> Any:
        status, answer = self.ask(
            "pull",
            {
                "format": FORMAT,
                "version": "t",
                "backlog": 0,
                "head": [self.number, self.digest],
                "runs": [],
                "have": [],
                **said,
            },
        )
        assert status == 200, answer
        return answer

    def parcel(self, **content: Any) -> dict[str, Any]:
        """The next parcel of the spool, not sent yet."""
        empty: dict[str, Any] = {"entries": [], "events": [], "hosts": [], "refused": [], "halts": []}
        body = canonical_bytes({"previous": self.digest, **empty, **content}).decode()
        self.number, self.digest = self.number + 1, parcel_digest(self.digest, body)
        return {"number": self.number, "body": body}

    def hand_over(self, **content: Any) -> tuple[int, Any]:
        return self.ask("parcel", self.parcel(**content))

    def host(self, order: int, status: str, **said: Any) -> dict[str, Any]:
        plain = {"is_settled": True, "saved": {}, "code": "", "error": "", "steps": [], "facts": None}
        return {"order": order, "status": status, **plain, **said}

    def reread(self) -> Gateway:
        self.row = Gateway.objects.select_related("institution").get(pk=self.row.pk)
        return self.row
