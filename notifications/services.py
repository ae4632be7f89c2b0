from collections.abc import Iterable

from accounts.models import User
from guardia.common.clock import now
from notifications.kinds import KINDS
from notifications.models import Notification


def notify(*, recipients: Iterable[User], kind: str, key: str, link: str = "", **values: object) -> None:
    """Tell each recipient once, in the caller's transaction: told exactly when the change is committed.

    `key` names the occasion ("OPS-…:run:7"); the same kind, key and recipient is never told twice.
    """
    send(drafts(recipients=recipients, kind=kind, key=key, link=link, **values))


def drafts(*, recipients: Iterable[User], kind: str, key: str, link: str = "", **values: object) -> list[Notification]:
    """The messages of `notify`, not yet told: for those who tell many at once."""
    if kind not in KINDS:
        raise KeyError(kind)
    plain = {name: str(value) for name, value in values.items()}
    return [
        Notification(recipient=user, kind=kind, values=plain, link=link, dedup_key=f"{kind}:{key}:{user.pk}")
        for user in {user.pk: user for user in recipients}.values()
    ]


def send(messages: Iterable[Notification]) -> None:
    """Tell them in the caller's transaction; what was told before is not told again."""
    Notification.objects.bulk_create(messages, ignore_conflicts=True)


def mark_read(*, actor: User, upto: int) -> int:
    """Mark the actor's own notifications up to this one as read: later ones weren't shown."""
    return Notification.objects.filter(recipient=actor, read_at=None, pk__lte=upto).update(read_at=now())
