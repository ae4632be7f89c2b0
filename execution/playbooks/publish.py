import hashlib
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holds_role
from audit.refusals import refusals_recorded
from audit.services import record
from execution.models import Playbook
from execution.playbooks.schema import parse_playbook
from governance.services.bastion import require_bastion
from guardia.common.errors import NotPermitted, StaleState

SHIPPED = Path(__file__).parent / "shipped"
#: A playbook belongs to no institution, so only those who hold the role for all of them may publish one.
PUBLISHERS = (Role.OPERATOR, Role.ADMINISTRATOR)


def may_publish(user: User) -> bool:
    return user.is_active and (user.is_superuser or holds_role(user, PUBLISHERS, None))


@refusals_recorded
@transaction.atomic
def publish_playbook(*, actor: User | str, source: str) -> Playbook:
    """Publish a version; the same text again changes nothing, another text under a published version is refused.

    Raises NotPermitted, OutsideBastion, PlaybookInvalid, StaleState.
    """
    if isinstance(actor, User):
        if not may_publish(actor):
            raise NotPermitted(_("Operators and administrators of all institutions publish playbooks."))
        require_bastion(actor=actor, institution=None)
    definition = parse_playbook(source)
    digest = hashlib.sha256(source.encode()).hexdigest()
    existing = Playbook.objects.filter(name=definition.name, version=definition.version).first()
    if existing is not None:
        if existing.digest != digest:
            raise StaleState(
                _("Version %(version)s of “%(name)s” is published already; give the text another version.")
                % {"version": definition.version, "name": definition.name},
                code="version_published",
            )
        return existing
    playbook = Playbook.objects.create(
        name=definition.name,
        version=definition.version,
        sub_type=definition.sub_type,
        source=source,
        digest=digest,
    )
    record(action="playbook.published", actor=actor, institution=None, subject=playbook, digest=digest)
    return playbook


def publish_shipped(*, actor: User | str) -> list[Playbook]:
    """Publish the playbooks that come with Guardia."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(SHIPPED.glob("*.yaml"))]
    return [publish_playbook(actor=actor, source=source) for source in sources]
