"""What must be true of the settings, or nothing starts."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from accounts.choices import Role
from accounts.rates import rate_of
from audit.stores.configured import is_known
from cmdb.addresses import networks_of
from guardia.ldap import ldap_is_installed


@register()
def queue_guards(**_: Any) -> list[CheckMessage]:
    """django-q2's defaults run a failed task again for ever and store pickles (style.md rule 10)."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    rules = {
        "guardia.E001": (queue.get("ack_failures") is True, "ack_failures must be on"),
        "guardia.E002": (queue.get("max_attempts") == 1, "max_attempts must be 1"),
        "guardia.E003": (queue.get("timeout", 0) < queue.get("retry", 0), "retry must be longer than timeout"),
        "guardia.E004": (queue.get("save_limit") == -1, "results must not be stored (save_limit -1)"),
        "guardia.E005": (
            queue.get("broker_class") == "guardia.common.broker.AllowListBroker",
            "the broker must be the one with the allow-list",
        ),
    }
    return [Error(f"Q_CLUSTER: {message}", id=check_id) for check_id, (holds, message) in rules.items() if not holds]


@register()
def directory_is_complete(**_: Any) -> list[CheckMessage]:
    """A directory that is named but can't be asked would be found out by the first person who can't log in."""
    if not settings.GUARDIA_LDAP_URL:
        return []
    found: list[CheckMessage] = []
    if not ldap_is_installed():
        hint = "Install the extra: pip install 'guardia[ldap]' (needs libldap2-dev and libsasl2-dev)."
        found.append(Error("GUARDIA_LDAP_URL is set, but django-auth-ldap isn't there.", hint=hint, id="guardia.E006"))
    if not settings.GUARDIA_LDAP_USER_BASE:
        found.append(Error("GUARDIA_LDAP_URL is set, but GUARDIA_LDAP_USER_BASE is not.", id="guardia.E007"))
    if not settings.GUARDIA_LDAP_START_TLS and not settings.GUARDIA_LDAP_URL.startswith("ldaps://"):
        text = "Passwords would go to the directory in clear: use ldaps:// or GUARDIA_LDAP_START_TLS."
        found.append(Error(text, id="guardia.E008"))
    return found


@register()
def witnesses_are_known(**_: Any) -> list[CheckMessage]:
    """A store that can't be made would leave every checkpoint in the directory alone."""
    wrong = [url for url in settings.GUARDIA_CHECKPOINT_WITNESSES if not is_known(url)]
    text = "GUARDIA_CHECKPOINT_WITNESSES: no store can be made of %s"
    return [Error(text % f"{urlsplit(url).scheme}://…", id="guardia.E010") for url in wrong]


@register()
def roles_exist(**_: Any) -> list[CheckMessage]:
    unknown = set(settings.GUARDIA_REQUIRE_TOTP_FOR) - set(Role.values)
    return [Error(f"GUARDIA_REQUIRE_TOTP_FOR: no such role: {name}", id="guardia.E009") for name in sorted(unknown)]


@register()
def rates_are_rates(**_: Any) -> list[CheckMessage]:
    """One that can't be read would refuse or let through everybody."""
    found: list[CheckMessage] = []
    for name in (f"GUARDIA_RATE_{kind}" for kind in ("REQUESTS", "FORMS", "TOKEN", "GATEWAY")):
        try:
            rate_of(getattr(settings, name))
        except ValueError as error:
            found.append(Error(f"{name}: {error}", id="guardia.E011"))
    return found


@register()
def networks_are_networks(**_: Any) -> list[CheckMessage]:
    try:
        networks_of(tuple(settings.GUARDIA_SERVER_NETWORKS))
    except ValueError as error:
        return [Error(f"GUARDIA_SERVER_NETWORKS: {error}", id="guardia.E012")]
    return []


@register(Tags.security, deploy=True)
def networks_are_named(**_: Any) -> list[CheckMessage]:
    """Else somebody who may change the inventory can have the workers talk to their own machines."""
    if settings.GUARDIA_EMBEDDED or settings.GUARDIA_SERVER_NETWORKS:
        return []
    text = "GUARDIA_SERVER_NETWORKS is empty: a server of the inventory may be the worker's own machine."
    return [Warning(text, id="guardia.W001")]
