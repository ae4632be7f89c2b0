"""Personal API tokens: made, found and revoked."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import TokenScope
from accounts.models import ApiToken, User
from accounts.signals import account_changed
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, NotPermitted, NotVisible

TOKEN_MARK = "grd_"  # noqa: S105 - how one tells our tokens, also in a leak
LONGEST_DAYS = 365
_TOKENS_AT_ONCE = 20
_LAST_USED_SECONDS = 60


@transaction.atomic
def create_token(*, actor: User, name: str, scopes: Sequence[str], days: int) -> tuple[ApiToken, str]:
    """A new token and its clear text, which nobody can read again. Raises InvalidInput, NotPermitted."""
    if not actor.is_active:
        raise NotPermitted(_("This account is disabled. An administrator can enable it."))
    if not name.strip() or len(name) > 64 or "\x00" in name:
        raise InvalidInput(_("Give the token a name of at most 64 characters."))
    if not scopes or not set(scopes) <= set(TokenScope.values):
        raise InvalidInput(_("Choose what the token may do."))
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(_("A token lives from 1 to %(days)s days.") % {"days": LONGEST_DAYS})
    User.objects.select_for_update().get(pk=actor.pk)  # two at once don't pass the limit
    if ApiToken.objects.filter(user=actor, revoked_at=None, expires_at__gt=now()).count() >= _TOKENS_AT_ONCE:
        raise InvalidInput(_("You have %(count)s tokens already: revoke one first.") % {"count": _TOKENS_AT_ONCE})
    clear = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=actor,
        name=name.strip(),
        prefix=clear[: len(TOKEN_MARK) + 6],
        digest=_digest(clear),
        scopes=sorted(set(scopes)),
        expires_at=now() + timedelta(days=days),
    )
    facts = {"name": token.name, "prefix": token.prefix, "scopes": token.scopes, "days": days}
    account_changed.send(User, user=actor, actor=actor, action="token.created", facts=facts)
    return token, clear


@transaction.atomic
def revoke_token(*, actor: User, token_pk: int) -> None:
    """End one's own token. Raises NotVisible for anybody else's; again it changes nothing."""
    token = ApiToken.objects.select_for_update().filter(pk=token_pk, user=actor).first()
    if token is None:
        raise NotVisible
    if token.revoked_at is None:
        token.revoked_at = now()
        token.save(update_fields=["revoked_at"])
        facts = {"name": token.name, "prefix": token.prefix}
        account_changed.send(User, user=actor, actor=actor, action="token.revoked", facts=facts)


def token_of(clear: str) -> ApiToken | None:
    """The living token with this text, of an active user; its use is noted, and told to the chain, once a minute."""
    token = ApiToken.objects.select_related("user").filter(digest=_digest(clear)).first()
    if token is None or not token.is_alive or not token.user.is_active:
        return None
    moment = now()
    if token.last_used_at is None or moment - token.last_used_at > timedelta(seconds=_LAST_USED_SECONDS):
        with transaction.atomic():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=moment)
            facts = {"name": token.name, "prefix": token.prefix}
            account_changed.send(User, user=token.user, actor=token.user, action="token.used", facts=facts)
    return token


def _digest(clear: str) -> str:
    return hashlib.sha256(clear.encode()).hexdigest()
