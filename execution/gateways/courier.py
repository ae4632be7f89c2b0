"""The one process of a gateway that speaks with the core: hands the spool over, asks what there is, fetches it."""

import contextlib
import hashlib
import logging
import threading
import time
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models.functions import Now

from execution.choices import HaltScope
from execution.exceptions import GateClosed
from execution.gateways import spool, work
from execution.gateways.away import halt_if_core_away, mirror_halts
from execution.gateways.exceptions import CoreAway, CoreRefused
from execution.gateways.home import forget_keys
from execution.gateways.messages import FORMAT
from execution.gateways.remote import Core
from execution.halts.press import halt
from execution.models import CoreLink, GatewayOrder, Parcel, RunPart
from guardia.common.errors import StaleState
from guardia.common.version import VERSION
from tickets.models.artefact import stored_path

logger = logging.getLogger(__name__)


class Courier:
    """`tick` does one round. What it was doing when it was killed is done again: every part of it may be."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._pulled_at = float("-inf")
        self._wanted: dict[int, dict[str, Any]] = {}
        self._is_away = False

    def run(self, stop: threading.Event) -> bool:
        """Rounds until asked to stop; False when the core has revoked us."""
        threading.Thread(target=_watch, args=(stop,), name="away-watch", daemon=True).start()
        while not stop.is_set():
            try:
                close_old_connections()
                if not self.tick():
                    return False
            except DatabaseError:
                logger.exception("the database is away")
            except Exception:
                logger.exception("unexpected")
            stop.wait(settings.GUARDIA_GATEWAY_PULL_SECONDS)
        self.core.close()
        return True

    def tick(self) -> bool:
        """One round; False when the core has revoked us."""
        try:
            self._hand_over()
            self._pull()
            self._fetch()
            self._is_away = False
        except CoreRefused as refusal:
            if refusal.details.get("is_revoked"):
                self._retire()
                return False
            logger.error("%s", refusal)
        except CoreAway as error:
            if not self._is_away:
                logger.warning("the core is away: %s", error)
            self._is_away = True
        return True

    def _hand_over(self) -> None:
        """Parcels in their order; each is kept here until the core has said that it has it."""
        while True:
            if not Parcel.objects.exists() and spool.seal_parcel() is None:
                return
            parcel = Parcel.objects.order_by("number")[0]
            keys = spool.keys_to_give()
            answer = self.core.ask("parcel", {"number": parcel.number, "body": parcel.body, "keys": keys})
            if answer.get("keys") == len(keys):
                spool.keys_given(keys)
            spool.handed_over(int(answer["taken"]))
            self._pull_if_due()

    def _pull_if_due(self) -> None:
        """The kill switch doesn't wait for long transfers."""
        if time.monotonic() - self._pulled_at > settings.GUARDIA_GATEWAY_PULL_SECONDS:
            self._pull()

    def _pull(self) -> None:
        link = work.link()
        said = {
            "format": FORMAT,
            "version": VERSION,
            "backlog": spool.waiting(),
            "head": [link.number, link.digest],
            "runs": work.open_runs(),
            "have": list(GatewayOrder.objects.filter(settled_at=None).values_list("pk", flat=True)),
        }
        answer = self.core.ask("pull", said)
        self._pulled_at = time.monotonic()
        with transaction.atomic():
            CoreLink.objects.filter(pk=1).update(
                seen_at=Now(),
                sites=answer["sites"],
                when_away=answer["when_away"],
                away_seconds=int(answer["away_seconds"]),
            )
            work.drop_orders([int(pk) for pk in answer.get("taken_back", [])])
            work.close_runs([int(pk) for pk in answer["runs"]])
        mirror_halts(answer["halts"])
        for order in answer["orders"]:
            self._wanted[int(order["order"])] = order

    def _fetch(self) -> None:
        """Everything that an order needs is here before the order is: what is cut off in between is asked for again."""
        for number, order in sorted(self._wanted.items()):
            try:
                part = RunPart.objects.select_related("run__plan").filter(run=order["run"]).first()
                if part is None or order["hostname"] not in part.run.plan.content["hosts"] or part.run.finished_at:
                    work.keep_part(self.core.ask("part", {"run": order["run"]}))
                    part = RunPart.objects.select_related("run__plan").get(run=order["run"])
                for digest, size in work.lacks(part.run.plan.content).items():
                    self._download(digest, size)
                work.keep_order(order)
            except GateClosed as refusal:
                logger.error("order %s is refused: %s (%s)", number, refusal, refusal.code)
                work.refuse_order(number, str(refusal))
            del self._wanted[number]

    def _download(self, digest: str, size: int) -> None:
        """A stored file in pieces, from where the last try ended; it is in the store only when its digest is right."""
        target = stored_path(digest)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f"{digest}.part")
        with draft.open("ab") as file:
            while (offset := file.tell()) < size:
                self._pull_if_due()
                piece = self.core.ask_bytes("artefact", {"sha256": digest, "offset": offset})
                if not piece:
                    break
                file.write(piece)
                file.flush()
        with draft.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            draft.unlink()
            raise GateClosed(f"a file that isn't what was approved: {digest}", code="artefact_altered")
        draft.replace(target)

    def _retire(self) -> None:
        """Revoked: stop what is under way, and keep nothing that opens a server."""
        logger.critical("the core has revoked this gateway")
        with contextlib.suppress(StaleState):  # somebody has pressed already
            halt(actor="guardia: this gateway is revoked", scope=HaltScope.GLOBAL, reason="revoked by the core")
        work.forget_secrets(keep_needed=False)
        forget_keys()


def _watch(stop: threading.Event) -> None:
    """The policy for being alone counts by the clock, not by how long a dead line takes to be found dead."""
    while not stop.wait(1.0):
        try:
            close_old_connections()
            halt_if_core_away()
        except DatabaseError:
            logger.warning("the database is away", exc_info=True)
            connection.close()
