from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import holds_role
from accounts.signals import acting_by_rank
from accounts.who import who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from cmdb.models import Credential
from cmdb.vault import seal
from guardia.common.errors import InvalidInput, NotPermitted


@refusals_recorded
@transaction.atomic
def store_credential(
    *, actor: User, institution: Institution, name: str, kind: str, username: str, secret: str
) -> Credential:
    """Seal a log-in for the institution's servers; one of the same name is replaced as a new revision.

    Operators and administrators only. The chain names the credential, never the secret.
    """
    if not (actor.is_superuser or holds_role(actor, (Role.OPERATOR, Role.ADMINISTRATOR), institution.pk)):
        names = who_hold([Role.OPERATOR, Role.ADMINISTRATOR], institution.pk)
        raise NotPermitted(
            _("The CMDB of %(institution)s is kept by: %(names)s.") % {"institution": institution, "names": names}
        )
    acting_by_rank.send(User, actor=actor, institution=institution)
    if not secret:
        raise InvalidInput
    credential = Credential.objects.select_for_update().filter(institution=institution, name=name).first()
    if credential is None:
        credential = Credential(institution=institution, name=name)
    else:
        credential.revision += 1
    credential.kind, credential.username = kind, username
    seal(credential, secret)
    credential.save()
    record(
        action="credential.stored",
        actor=actor,
        institution=institution,
        subject=credential,
        revision=credential.revision,
    )
    return credential
