"""A certificate file looked at before anything is planned with it: its chain, names and dates. No private key in it."""

from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from django.utils.translation import gettext as _

from execution.exceptions import PlanRefused
from guardia.common.clock import now

_LARGEST = 256 * 1024


def certificate_facts(path: Path, domain: str) -> dict[str, Any]:
    """Digest (of the DER form), names and last day of the first certificate. Raises PlanRefused.

    The ones behind it must each have issued the one before; `domain` must be one of the names.
    """
    if path.stat().st_size > _LARGEST:
        raise _refused(_("The file is too large for a certificate."))
    text = path.read_bytes()
    if b"PRIVATE KEY" in text:
        raise _refused(_("A private key must not travel: leave it on the server and bring the certificate alone."))
    try:
        chain = x509.load_pem_x509_certificates(text)
    except ValueError as error:
        raise _refused(_("The file holds no certificate in PEM form.")) from error
    _check_chain(chain)
    leaf = chain[0]
    names = _names(leaf)
    if domain and not any(_covers(name, domain.lower()) for name in names):
        raise _refused(
            _("The certificate is for %(names)s, not for %(domain)s.")
            % {"names": ", ".join(names) or "-", "domain": domain}
        )
    return {
        "certificate_sha256": leaf.fingerprint(hashes.SHA256()).hex(),
        "certificate_names": names,
        "certificate_until": leaf.not_valid_after_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _check_chain(chain: list[x509.Certificate]) -> None:
    moment = now()
    for certificate in chain:
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            raise _refused(
                _("The certificate “%(name)s” isn't valid now.") % {"name": certificate.subject.rfc4514_string()[:120]}
            )
    for lower, upper in pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise _refused(
                _("The chain is broken behind “%(name)s”.") % {"name": lower.subject.rfc4514_string()[:120]}
            ) from error


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return sorted({name.lower() for name in extension.value.get_values_for_type(x509.DNSName)})


def _covers(name: str, domain: str) -> bool:
    if name.startswith("*."):
        return domain.partition(".")[2] == name[2:]
    return name == domain


def _refused(message: str) -> PlanRefused:
    return PlanRefused(message, code="certificate_refused")
