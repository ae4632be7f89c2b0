"""What a plan says about the file that comes with a task, beyond its bytes: a site's tree, or a certificate."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from execution.exceptions import PlanRefused
from execution.plan.certificate import certificate_facts
from execution.plan.site import as_tar
from tickets.models.artefact import stored_path


def facts_of(artefact: Mapping[str, Any], needs: Collection[str], params: Mapping[str, Any]) -> dict[str, Any]:
    """More keys for the plan's artefact. Raises PlanRefused for a file that isn't what the playbook needs."""
    path = stored_path(artefact["sha256"])
    try:
        if "archive" in needs:
            return as_tar(path)
        if "certificate" in needs:
            return certificate_facts(path, str(params.get("domain", "")))
    except OSError as error:
        raise PlanRefused(_("The file can't be read any more."), code="artefact_missing") from error
    return {}
