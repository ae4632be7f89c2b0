"""Log-in by an institution's directory, as an option: the settings of django-auth-ldap from ours.

The package isn't part of the locks (it compiles against the system's LDAP libraries), so nothing here imports it
unless a directory is named; `guardia.checks` says what is missing.
"""

from importlib.util import find_spec
from typing import Any


def ldap_is_installed() -> bool:
    return find_spec("django_auth_ldap") is not None and find_spec("ldap") is not None


def ldap_settings(
    *, url: str, bind_dn: str, bind_password: str, user_base: str, user_filter: str, start_tls: bool, ca_file: str = ""
) -> dict[str, Any]:
    """Settings for django-auth-ldap; empty where no directory is named or the package is missing.

    The directory only says who somebody is. Accounts are made by administrators here (no account is made at log-in),
    and roles are given here.
    """
    if not url or not user_base or not ldap_is_installed():
        return {}
    import ldap
    from django_auth_ldap.config import LDAPSearch

    options: dict[int, Any] = {ldap.OPT_REFERRALS: 0, ldap.OPT_NETWORK_TIMEOUT: 5, ldap.OPT_TIMEOUT: 5}
    if ca_file:
        options |= {ldap.OPT_X_TLS_CACERTFILE: ca_file, ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND}
        options[ldap.OPT_X_TLS_NEWCTX] = 0  # makes the two above count; the last one
    return {
        "AUTH_LDAP_SERVER_URI": url,
        "AUTH_LDAP_BIND_DN": bind_dn,
        "AUTH_LDAP_BIND_PASSWORD": bind_password,
        "AUTH_LDAP_USER_SEARCH": LDAPSearch(user_base, ldap.SCOPE_SUBTREE, user_filter),
        "AUTH_LDAP_START_TLS": start_tls and not url.startswith("ldaps://"),
        "AUTH_LDAP_NO_NEW_USERS": True,
        "AUTH_LDAP_ALWAYS_UPDATE_USER": False,  # a log-in writes nothing over what changes at the same moment
        "AUTH_LDAP_CONNECTION_OPTIONS": options,
    }
