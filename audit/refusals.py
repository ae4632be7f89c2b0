"""An act that is refused for where it was tried from takes everything back, and leaves one entry behind."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

from accounts.exceptions import OutsideBastion
from audit.services import record

P = ParamSpec("P")
R = TypeVar("R")


def refusals_recorded(service: Callable[P, R]) -> Callable[P, R]:
    """Write an entry when the service is refused for the caller's address; goes outside of its transaction, which
    takes everything else back."""

    @wraps(service)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return service(*args, **kwargs)
        except OutsideBastion as refusal:
            record_refusal(refusal, service.__name__)
            raise

    return guarded


@transaction.atomic
def record_refusal(refusal: OutsideBastion, act: str) -> None:
    """Who tried what from where; the address is in every entry."""
    record(
        action="access.refused",
        actor=refusal.actor,
        institution=refusal.institution,
        summary=str(refusal),
        act=act,
        allowed=refusal.labels,
    )
