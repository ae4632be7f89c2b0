"""Steps and events as people read them, for the page's first lines and for the script that adds the later ones."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from execution.choices import HostStatus, Phase, RunStatus

STEPS: dict[str, Promise] = {
    "scan": _("Compare with the profile"),
    "check_disk": _("Check disk space"),
    "check_port": _("Check the service"),
    "check_running": _("Check the service"),
    "upload": _("Upload"),
    "verify_sha256": _("Verify SHA-256"),
    "back_up": _("Back up"),
    "swap": _("Swap"),
    "stop": _("Stop"),
    "start": _("Start"),
    "health": _("Health check"),
    "http_check": _("HTTP check"),
    "sql_ready": _("Database log-in"),
    "sql_query": _("Query"),
    "sql_count": _("Dry run: count the rows"),
    "sql_check": _("Check the data"),
    "sql_clean": _("Change the rows"),
    "sql_seed": _("Insert the rows"),
    "wait_tcp": _("Wait for the port"),
    "start_if_down": _("Start if it is down"),
    "drain": _("Take out at the balancers"),
    "undrain": _("Put back at the balancers"),
    "drain_haproxy": _("Drain at HAProxy"),
    "undrain_haproxy": _("Put back into HAProxy"),
    "drain_nginx": _("Drain at nginx"),
    "undrain_nginx": _("Put back into nginx"),
    "hook": _("Command of the institution"),
    "script": _("Script"),
    "static_sync": _("Synchronise static files"),
    "tidy": _("Remove work files"),
    "back_up_tree": _("Back up as an archive"),
    "config_line": _("Change a configuration line"),
    "replace_file": _("Replace a file"),
    "cron_job": _("Set a cron job"),
    "cron_remove": _("Remove a cron job"),
    "check_certificate": _("Check the certificate"),
    "install_certificate": _("Install the certificate"),
    "check_tls": _("TLS handshake"),
    "port_open": _("Open a port"),
    "port_close": _("Close a port"),
    "count_old": _("Count old files"),
    "clean_old": _("Move old files into the trash"),
    "restore_trash": _("Restore from the trash"),
    "purge_trash": _("Empty the trash"),
    "rotate_log": _("Rotate a log"),
    "reboot": _("Reboot"),
    "log_scan": _("Scan the log since the start"),
    "analyse_log": _("Analyse a log"),
    "check_memory": _("Check memory"),
    "check_disk_use": _("Check disk use"),
    "check_process": _("Check processes"),
    "check_accounts": _("Check accounts"),
    "check_security": _("Check security"),
    "health_after_bake": _("Health after watching"),
    "health_after_rollback": _("Health after rollback"),
}

#: kind of event → sentence; `step` and `status` are given as labels.
EVENTS: dict[str, Promise] = {
    "run_started": _("The run has started."),
    "wave_opened": _("Wave %(wave)s has opened."),
    "run_held": _("Wave %(wave)s waits. %(reason)s"),
    "run_resumed": _("%(actor)s resumed the run outside of its change window."),
    "host_given": _("Given to the gateway %(gateway)s"),
    "run_paused": _("%(actor)s paused the run: %(reason)s"),
    "run_unpaused": _("%(actor)s ended the pause. %(reason)s"),
    "wave_checked": _("Wave %(wave)s was watched; its health is checked again."),
    "wave_let_go": _("%(actor)s let the next wave go. %(reason)s"),
    "run_aborting": _("%(actor)s aborts the run: %(reason)s"),
    "run_retried": _("%(actor)s has the failed servers tried again (%(hosts)s): %(reason)s"),
    "host_isolated": _("Failed; goes back alone. %(error)s"),
    "logs_kept": _("Core logs kept: %(count)s"),
    "host_taken": _("Connecting"),
    "host_recovered": _("Carrying on after a lost worker"),
    "step_started": _("%(step)s …"),
    "step_ok": _("%(step)s: OK"),
    "step_failed": _("%(step)s failed: %(error)s"),
    "step_uncertain": _("%(step)s: outcome unknown. %(error)s"),
    "step_probed": _("%(step)s: found done"),
    "drift": _("Differs from its profile: %(text)s"),
    "host_settled": _("%(status)s. %(error)s"),
    "rollback_started": _("Rollback of wave %(wave)s: %(reason)s"),
    "run_stopping": _("Kill switch pressed by %(actor)s: %(reason)s"),
    "run_halted": _("Halted. Every server is named."),
    "run_unhalted": _("%(actor)s lets the run go on after the halt: %(reason)s"),
    "run_finished": _("The run has ended: %(status)s. %(reason)s"),
}

#: After these a page shows other waves or other acts: it is asked for anew.
TURNS = ["run_held", "run_paused", "run_unpaused", "wave_let_go", "run_aborting", "run_retried"]


FACTS: dict[str, Promise] = {
    "os": _("operating system"),
    "process": _("in the service's command line"),
    "owner": _("service account"),
    "sudo": _("sudo"),
}
DRIFT: dict[str, Promise] = {"warn": _("went on"), "stop": _("stopped"), "adapt": _("taken over")}


def fact_label(name: str) -> str:
    """The fact's name; a path stays as it is."""
    return str(FACTS.get(name, name))


def drift_label(then: str) -> str:
    """What a run did about a difference."""
    return str(DRIFT.get(then, then))


def step_label(name: str) -> str:
    """The step's name in the current language; a playbook's own name stays as it is."""
    return str(STEPS.get(name, name))


def event_text(event: Mapping[str, Any]) -> str:
    """One event as a sentence; `event` is what `execution.live.events.event_to_dict` gives."""
    data = {"wave": "", "error": "", "reason": "", "host": "", "hosts": "", "count": "", "actor": "", **event["data"]}
    undo = "↩ " if data.get("phase") == Phase.UNDO else ""
    data["step"] = undo + step_label(str(data.get("step", "")))
    data["status"] = status_labels().get(str(data.get("status", "")), str(data.get("status", "")))
    return str(EVENTS[event["kind"]]) % data if event["kind"] in EVENTS else str(event["kind"])


def status_labels() -> dict[str, str]:
    """Of hosts and runs; the two agree where they share a value, but for MANUAL, which hosts don't have."""
    return {str(choice.value): str(choice.label) for choices in (RunStatus, HostStatus) for choice in choices}


def script_words() -> dict[str, Any]:
    """All of it for `static/guardia/run.js`, in the current language."""
    return {
        "steps": {name: str(label) for name, label in STEPS.items()},
        "events": {kind: str(text) for kind, text in EVENTS.items()},
        "turns": TURNS,
        "statuses": status_labels(),
        "progress": _now("step %(done)s/%(all)s"),
        "wave": _now("%(done)s of %(all)s done"),
        "time_zone": settings.TIME_ZONE,
        "summary": _now("%(done)s of %(all)s servers done, %(bad)s with problems"),
        "connected": _now("Live"),
        "connecting": _now("Connecting …"),
        "lost": _now("Connection lost, trying again"),
    }
