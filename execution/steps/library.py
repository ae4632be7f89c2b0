"""The names that playbooks may use."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from execution.steps import (
    balancing,
    certificates,
    cleaning,
    config,
    files,
    firewall,
    inspections,
    power,
    scripting,
    service,
    trees,
)
from execution.steps.ops import Step

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
    "wait_tcp": service.wait_tcp,
    "start_if_down": service.start_if_down,
    "drain_haproxy": balancing.drain_haproxy,
    "undrain_haproxy": balancing.undrain_haproxy,
    "drain_nginx": balancing.drain_nginx,
    "undrain_nginx": balancing.undrain_nginx,
    "hook": balancing.hook,
    "script": scripting.script,
    "static_sync": trees.static_sync,
    "tidy": trees.tidy,
    "back_up_tree": trees.back_up_tree,
    "config_line": config.config_line,
    "replace_file": config.replace_file,
    "cron_job": config.cron_job,
    "cron_remove": config.cron_remove,
    "check_certificate": certificates.check_certificate,
    "install_certificate": certificates.install_certificate,
    "check_tls": certificates.check_tls,
    "port_open": firewall.port_open,
    "port_close": firewall.port_close,
    "count_old": cleaning.count_old,
    "clean_old": cleaning.clean_old,
    "restore_trash": cleaning.restore_trash,
    "purge_trash": cleaning.purge_trash,
    "rotate_log": cleaning.rotate_log,
    "reboot": power.reboot,
    "log_scan": inspections.log_scan,
    "analyse_log": inspections.analyse_log,
    "check_memory": inspections.check_memory,
    "check_disk_use": inspections.check_disk_use,
    "check_process": inspections.check_process,
    "check_accounts": inspections.check_accounts,
    "check_security": inspections.check_security,
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
