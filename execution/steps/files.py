"""Steps on files: free space, upload, checksum, back-up and swap by `mv`, which is atomic within a file system."""

from execution.steps.ops import Op, Step, change, check, run, shell

_FREE_MIB = 'df -Pm -- "$1" | { read -r head; read -r device size used free rest; echo "$free"; }'
_SHA256 = 'sha256sum < "$1"'
_MOVE_ASIDE = '[ -e "$2" ] || mv -T -- "$1" "$2"'
_MOVE_BACK = 'if [ -e "$2" ]; then mv -fT -- "$2" "$1"; fi'
_DROP_IF_BACKED_UP = 'if [ -e "$2" ]; then rm -f -- "$1"; fi'


def check_disk(*, path: str, free_mib: int) -> Step:
    """At least `free_mib` MiB are free where `path` lies."""
    return check("check_disk", shell(_FREE_MIB, path, expect={"at_least": free_mib}))


def upload(*, sha256: str, size: int, path: str, seconds: int = 600) -> Step:
    """The artefact lies at `path`, which nothing else uses, so that a torn upload harms nobody."""
    return change(
        "upload",
        {"op": "upload", "sha256": sha256, "size": size, "path": path, "seconds": seconds},
        probe=[_is(path, sha256)],
        undo=[run("rm", "-f", "--", path)],
    )


def verify(*, sha256: str, path: str) -> Step:
    """The bytes on the host are the approved ones, by the host's own reckoning."""
    return check("verify_sha256", _is(path, sha256))


def back_up(*, path: str, backup: str) -> Step:
    """What was there is kept at `backup`; done twice it changes nothing."""
    return change(
        "back_up",
        shell(_MOVE_ASIDE, path, backup),
        probe=[run("test", "-e", backup)],
        undo=[shell(_MOVE_BACK, path, backup)],
    )


def swap(*, incoming: str, path: str, backup: str, sha256: str) -> Step:
    """The new artefact takes its place."""
    return change(
        "swap",
        run("mv", "-fT", "--", incoming, path),
        probe=[_is(path, sha256)],
        undo=[shell(_DROP_IF_BACKED_UP, path, backup)],
    )


def _is(path: str, sha256: str) -> Op:
    """The file's bytes have this digest. Read as standard input, so that nothing of its name is in the answer."""
    return shell(_SHA256, path, expect={"equals": f"{sha256}  -"}, seconds=120)
