"""What can go wrong on the way to a host and on it::

    SshError
    ├── ConnectFailed                 before any command; nothing was done on the host
    │   ├── HostDown                  host_down           refused, unreachable or not an address
    │   ├── ConnectTimeout            connect_timeout     TCP, banner or key exchange never finished
    │   ├── ProtocolMismatch          protocol_mismatch   not an SSH server, or no algorithm in common
    │   ├── JumpFailed                jump_failed         a jump host on the way; `details` say which and why
    │   ├── BadHostKeyLine            bad_host_key        a pinned key can't be read
    │   ├── BadCredential             bad_credential      our private key can't be read
    │   ├── HostKeyRefused            before any credential was sent
    │   │   ├── UnknownHostKey        unknown_host_key    nothing is pinned for this host
    │   │   └── ChangedHostKey        changed_host_key    another key than the pinned ones
    │   ├── AuthenticationRefused     auth_refused
    │   └── AuthenticationTimeout     auth_timeout
    ├── CommandFailed
    │   ├── CommandRefused            command_refused     the server wouldn't start it
    │   ├── CommandTimeout            command_timeout
    │   └── NoExitStatus              no_exit_status      ended without saying how (a signal, for one)
    ├── TransferFailed                transfer_failed     the file isn't there as it should be; safe to repeat
    │   └── TransferTimeout           transfer_timeout
    ├── ConnectionLost                connection_lost     the line broke
    └── Cancelled                     cancelled           the caller's event was set

`outcome_unknown` is true when a command had been sent and its end wasn't seen: it may have had effect, so it is probed,
never blindly repeated. `details` holds the host's name and what the class says; never a secret.
"""

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from guardia.common.errors import GuardiaError


class SshError(GuardiaError):
    """Root of the connector's errors."""

    code = "ssh_error"
    http_status = 503
    default_message: str | Promise = _("The work over SSH failed.")

    def __init__(
        self, message: str | Promise | None = None, *, outcome_unknown: bool = False, **details: object
    ) -> None:
        super().__init__(message)
        self.details = details
        self.outcome_unknown = outcome_unknown


class ConnectFailed(SshError):
    code = "connect_failed"
    default_message = _("The host could not be connected.")


class HostDown(ConnectFailed):
    code = "host_down"
    default_message = _("The host refuses connections or can't be reached.")


class ConnectTimeout(ConnectFailed):
    code = "connect_timeout"
    default_message = _("The host did not finish the SSH handshake in time.")


class ProtocolMismatch(ConnectFailed):
    code = "protocol_mismatch"
    default_message = _("The host does not speak SSH the way we do.")


class JumpFailed(ConnectFailed):
    """The way to the host is barred at a jump host; the message says why, `details` which and by which code."""

    code = "jump_failed"

    def __init__(self, *, hop: str, reason: SshError) -> None:
        message = format_lazy(_("Jump host {hop}: {reason}"), hop=hop, reason=reason.message)
        super().__init__(message, hop=hop, reason=reason.code)


class BadHostKeyLine(ConnectFailed):
    code = "bad_host_key"
    default_message = _("A stored host key can't be read.")


class BadCredential(ConnectFailed):
    code = "bad_credential"
    default_message = _("The stored private key can't be read.")


class HostKeyRefused(ConnectFailed):
    """The host isn't who we know. `details["offered"]` is the SHA-256 fingerprint it showed."""

    code = "host_key_refused"


class UnknownHostKey(HostKeyRefused):
    code = "unknown_host_key"

    def __init__(self, *, offered: str) -> None:
        message = format_lazy(_("The host key is not known yet: {offered}. No credential was sent."), offered=offered)
        super().__init__(message, offered=offered)


class ChangedHostKey(HostKeyRefused):
    code = "changed_host_key"

    def __init__(self, *, offered: str, pinned: str) -> None:
        text = _("The host key has changed: expected {pinned}, got {offered}. No credential was sent.")
        super().__init__(format_lazy(text, offered=offered, pinned=pinned), offered=offered, pinned=pinned)


class AuthenticationRefused(ConnectFailed):
    code = "auth_refused"
    default_message = _("The host refused the credential.")


class AuthenticationTimeout(ConnectFailed):
    code = "auth_timeout"
    default_message = _("The host did not answer the authentication in time.")


class CommandFailed(SshError):
    code = "command_failed"
    default_message = _("The command did not end properly.")


class CommandRefused(CommandFailed):
    code = "command_refused"
    default_message = _("The host would not start the command.")


class CommandTimeout(CommandFailed):
    code = "command_timeout"
    default_message = _("The command did not end in time.")


class NoExitStatus(CommandFailed):
    code = "no_exit_status"
    default_message = _("The command ended without an exit status.")


class TransferFailed(SshError):
    code = "transfer_failed"
    default_message = _("The file could not be transferred.")


class TransferTimeout(TransferFailed):
    code = "transfer_timeout"
    default_message = _("The file was not transferred in time.")


class ConnectionLost(SshError):
    code = "connection_lost"
    default_message = _("The connection to the host was lost.")


class Cancelled(SshError):
    code = "cancelled"
    default_message = _("The work was cancelled.")
