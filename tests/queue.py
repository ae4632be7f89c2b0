"""The queue, emptied in this process: what the worker would take from the broker, with the broker's own checks."""

import pydoc

from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage


def run_queue(limit: int = 50) -> list[str]:
    """Run what waits, oldest first, until nothing waits; returns the names of what ran."""
    ran = []
    broker = get_broker()
    while OrmQ.objects.exists():
        assert len(ran) < limit, f"the queue doesn't end: {ran[-5:]}"
        for ack_id, payload in broker.dequeue() or []:
            message = SignedPackage.loads(payload)
            ran.append(message["func"])
            pydoc.locate(message["func"])(*message["args"])
            broker.acknowledge(ack_id)
    return ran


def waiting() -> list[tuple[str, tuple[int | str, ...]]]:
    """What waits in the queue, oldest first, as (function, arguments)."""
    messages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("pk")]
    return [(message["func"], tuple(message["args"])) for message in messages]
