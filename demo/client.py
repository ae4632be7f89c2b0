"""A person at a browser and at the API: everything the demonstration does goes through these doors."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect
from websockets.typing import Origin


class Person:
    """One user: `api` calls carry a bearer token, `page` calls a session cookie."""

    def __init__(self, base: str, username: str, password: str) -> None:
        self.base, self.username, self._password = base, username, password
        self._api = httpx.Client(base_url=base, timeout=30)
        self._browser = httpx.Client(base_url=base, timeout=30, follow_redirects=True)
        answer = self._api.post("/api/v1/token/", json={"username": username, "password": password})
        answer.raise_for_status()
        self._api.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        self._log_in(password)

    def _log_in(self, password: str) -> None:
        self._browser.get("/login/")
        self.submit("/login/", username=self.username, password=password).raise_for_status()

    def get(self, path: str) -> httpx.Response:
        return self._api.get(path)

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self._api.post(path, json=body)

    def decide(self, task: str, plan_digest: str, decision: str = "APPROVE") -> httpx.Response:
        """Decide an approval step, with the password that work of high risk needs again."""
        return self.post(
            "/api/v1/approval/process",
            task_id=task,
            decision=decision,
            plan_digest=plan_digest,
            password=self._password,
        )

    def file(self, text: str, artefact: Path, servers: Sequence[str] = ()) -> httpx.Response:
        """File a request with an artefact, for the servers named (default: those that the text names)."""
        with artefact.open("rb") as file:
            return self._api.post(
                "/api/v1/sr/intake",
                data={"text": text, "servers": list(servers)},
                files={"artefact": (artefact.name, file, "application/zip")},
            )

    def page(self, path: str) -> httpx.Response:
        return self._browser.get(path)

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as the browser would."""
        token = self._browser.cookies.get("csrftoken", "")
        return self._browser.post(path, data={**fields, "csrfmiddlewaretoken": token}, headers={"Referer": self.base})

    def events(self, run_pk: int, after: int = 0, patience: float = 60) -> Iterator[dict[str, Any]]:
        """The live events of a run over the websocket, until it has finished. Raises TimeoutError in a silence."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._browser.cookies.items())
        url = f"{self.base.replace('http', 'ws', 1)}/ws/runs/{run_pk}/?after={after}"
        with connect(url, additional_headers={"Cookie": cookies}, origin=Origin(self.base)) as socket:
            while True:
                for event in json.loads(socket.recv(timeout=patience))["events"]:
                    yield event
                    if event["kind"] == "run_finished":
                        return

    def close(self) -> None:
        self._api.close()
        self._browser.close()
