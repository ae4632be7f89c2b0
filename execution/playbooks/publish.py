import hashlib
from pathlib import Path

from django.db import transaction

from accounts.models import User
from audit.services import record
from execution.models import Playbook
from execution.playbooks.schema import parse_playbook
from guardia.common.errors import StaleState

SHIPPED = Path(__file__).parent / "shipped"


@transaction.atomic
def publish_playbook(*, actor: User | str, source: str) -> Playbook:
    """Publish a version; the same text again changes nothing, another text under a published version is refused."""
    definition = parse_playbook(source)
    digest = hashlib.sha256(source.encode()).hexdigest()
    existing = Playbook.objects.filter(name=definition.name, version=definition.version).first()
    if existing is not None:
        if existing.digest != digest:
            raise StaleState(code="version_published")
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
    return [publish_playbook(actor=actor, source=path.read_text()) for path in sorted(SHIPPED.glob("*.yaml"))]
