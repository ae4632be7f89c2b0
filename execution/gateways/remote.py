"""The gateway's way to the core: HTTPS, outgoing, one connection; every message signed, every answer believed only
with the pinned core's signature."""

import json
import secrets
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from execution.gateways.exceptions import CoreAway, CoreRefused
from execution.gateways.messages import (
    LARGEST_ANSWER,
    NAME,
    NONCE,
    PREFIX,
    SIGNATURE,
    TIME,
    Request,
    answer_bytes,
)
from guardia.common.canonical import canonical_bytes
from guardia.common.errors import InvalidInput
from guardia.common.signing import is_signed, sign

_SECONDS = 30.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Core:
    """The core as a gateway reaches it. `ca`: a PEM file of what its certificate must be signed with, where the
    system doesn't know it."""

    def __init__(self, url: str, name: str, sign_key: str, core_key: str, ca: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise InvalidInput(f"{url} is not an address like https://core.example")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise InvalidInput("clear text is for this machine alone: say https://")
        self.name, self._sign_key, self.core_key = name, sign_key, core_key
        self._parts, self._line = parts, None  # type: tuple[Any, HTTPConnection | None]
        self._tls = ssl.create_default_context(cafile=ca or None) if parts.scheme == "https" else None
        if self._tls is not None:
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def ask(self, path: str, said: dict[str, Any]) -> dict[str, Any]:
        """The core's answer. Raises CoreAway: nothing that the core signed came; CoreRefused: it said no."""
        answer = json.loads(self._ask(path, said))
        if not isinstance(answer, dict):
            raise CoreAway
        return answer

    def ask_bytes(self, path: str, said: dict[str, Any]) -> bytes:
        return self._ask(path, said)

    def ask_unpinned(self, path: str, said: dict[str, Any]) -> tuple[Request, int, bytes, str]:
        """For the first words only, when no core is pinned yet: the caller proves the answer by other means."""
        request = self._request(path, said)
        return request, *self._exchange(request)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(self, path: str, said: dict[str, Any]) -> bytes:
        request = self._request(path, said)
        status, body, signature = self._exchange(request)
        if not is_signed(self.core_key, answer_bytes(request, status, body), signature):
            raise CoreAway(f"an answer ({status}) that the core didn't sign", code="not_signed")
        if status != 200:
            words = body[:200].decode("utf-8", "replace")
            raise CoreRefused(f"the core refuses {path}: {status} {words}", is_revoked=b'"revoked"' in body)
        return body

    def _request(self, path: str, said: dict[str, Any]) -> Request:
        return Request(self.name, path, int(time.time()), secrets.token_hex(16), canonical_bytes(said))

    def _exchange(self, request: Request) -> tuple[int, bytes, str]:
        headers = {
            NAME: quote(request.gateway, safe="/"),
            TIME: str(request.time),
            NONCE: request.nonce,
            SIGNATURE: sign(self._sign_key, request.signed_bytes()),
            "Content-Type": "application/json",
        }
        try:
            line = self._line = self._line or self._dial()
            line.request("POST", PREFIX + request.path, body=request.body, headers=headers)
            response = line.getresponse()
            body = response.read(LARGEST_ANSWER + 1)
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise CoreAway(f"{type(error).__name__}: {error}"[:300]) from error
        if response.will_close or len(body) > LARGEST_ANSWER:
            self.close()
        if len(body) > LARGEST_ANSWER:
            raise CoreAway("an answer without an end")
        return response.status, body, response.headers.get(SIGNATURE, "")

    def _dial(self) -> HTTPConnection:
        host, port = str(self._parts.hostname), self._parts.port
        if self._tls is not None:
            return HTTPSConnection(host, port, timeout=_SECONDS, context=self._tls)
        return HTTPConnection(host, port, timeout=_SECONDS)
