"""Errors of the CMDB::

GuardiaError
├── VaultLocked     503  the vault's key is missing or is another one
└── SealBroken      503  sealed bytes were altered or moved to another row
"""

from django.utils.translation import gettext_lazy as _

from guardia.common.errors import Unavailable


class VaultLocked(Unavailable):
    code = "vault_locked"
    default_message = _("The vault's key is not here, so the credential can't be opened.")


class SealBroken(Unavailable):
    code = "seal_broken"
    default_message = _("The sealed credential was altered. It must be entered again.")
