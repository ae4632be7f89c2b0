"""The reboot of a server."""

from collections.abc import Sequence

from execution.steps.arguments import absolute, between, command
from execution.steps.ops import Reconnect, Step, change, saved
from execution.steps.scripts import scripted

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def reboot(
    *,
    seconds: int = 600,
    argv: Sequence[str] = ("shutdown", "-r", "now"),
    boot_id: str = "/proc/sys/kernel/random/boot_id",
) -> Step:
    """The server has started anew and takes log-ins. Never repeated blindly; there is no way back."""
    file = absolute(boot_id)
    look = scripted("reboot", "id", file, expect={"number": True}, save="boot_before")
    now = scripted("reboot", "id", file, expect={"number": True, "differs": saved("boot_before")})
    back: Reconnect = {
        "op": "reconnect",
        "argv": now["argv"],
        "expect": now["expect"],
        "seconds": between(seconds, 30, 7200),
        "pause_ms": 3000,
    }
    return change(
        "reboot",
        look,
        scripted("reboot", "go", file, *command(argv)),
        back,
        probe=[now],
        is_repeatable=False,
    )
