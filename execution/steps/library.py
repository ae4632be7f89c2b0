"""The names that playbooks may use."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from execution.steps import files, service
from execution.steps.ops import Step
from execution.steps.sql import cleaning, looking, seeding

LIBRARY: Mapping[str, Callable[..., Step]] = {
    "check_disk": files.check_disk,
    "check_running": service.check_running,
    "upload": files.upload,
    "verify": files.verify,
    "back_up": files.back_up,
    "swap": files.swap,
    "stop": service.stop,
    "start": service.start,
    "health": service.health,
    "http_check": service.http_check,
    "sql_ready": looking.sql_ready,
    "sql_query": looking.sql_query,
    "sql_count": looking.sql_count,
    "sql_check": looking.sql_check,
    "sql_clean": cleaning.sql_clean,
    "sql_seed": seeding.sql_seed,
}


def problem_with(name: str, arguments: Mapping[str, Any]) -> str:
    """Why a playbook may not call this step so; empty when it may."""
    if name not in LIBRARY:
        return f"there is no step “{name}”"
    parameters = inspect.signature(LIBRARY[name]).parameters
    unknown = set(arguments) - set(parameters)
    missing = {key for key, value in parameters.items() if value.default is value.empty} - set(arguments)
    if unknown:
        return f"step “{name}” takes no “{min(unknown)}”"
    if missing:
        return f"step “{name}” needs “{min(missing)}”"
    return ""
