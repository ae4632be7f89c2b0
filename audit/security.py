"""Which acts of the chain are security events, by kind: what somebody who guards the house looks through each day."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVENTS: dict[str, tuple[Promise, tuple[str, ...]]] = {
    "refused": (
        _("Refused log-ins, acts and floods"),
        ("access.refused", "rate.exceeded", "session.locked_out", "session.login_failed"),
    ),
    "accounts": (
        _("Accounts, roles and authority"),
        (
            "account.created",
            "account.disabled",
            "account.enabled",
            "account.unlocked",
            "authority.changed",
            "password.changed",
            "role.ended",
            "role.granted",
            "token.created",
            "token.revoked",
            "totp.disabled",
            "totp.enrolled",
            "totp.recovery_code_used",
            "totp.recovery_codes_renewed",
        ),
    ),
    "rules": (
        _("Networks, policies and pre-approvals"),
        ("access_range.saved", "policy_change.applied", "policy_change.proposed", "standing_approval.given"),
    ),
    "hosts": (
        _("Host keys, credentials and gateways"),
        (
            "credential.stored",
            "gateway.alarm",
            "gateway.enrolled",
            "gateway.forged",
            "host_key.accepted",
            "host_key.refused",
        ),
    ),
    "halts": (_("Kill switch"), ("halt.lifted", "halt.pressed")),
    "chain": (
        _("Integrity, exports and erasures"),
        (
            "chain.begun_anew",
            "chain.exported",
            "chain.restored",
            "data_key.erased",
            "data_key.erasure_proposed",
            "integrity.accepted",
            "integrity.acceptance_proposed",
            "integrity.broken",
            "integrity.restored",
            "proof.downloaded",
        ),
    ),
}
ACTIONS: tuple[str, ...] = tuple(sorted(action for _kind, actions in EVENTS.values() for action in actions))
