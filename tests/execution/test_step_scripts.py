"""The scripts of the steps by real shells (dash, BusyBox) in real folders: done twice, found done, undone."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from tests.execution.local_host import HOSTILE_NAMES, LocalHost, tree_of

SHELLS = ["dash", pytest.param("busybox", marks=pytest.mark.skipif(not shutil.which("busybox"), reason="no BusyBox"))]


@pytest.fixture(params=SHELLS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> LocalHost:
    return LocalHost(request.param, tmp_path / "host 'x'")


def archive_of(path: Path, files: dict[str, str]) -> str:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return str(path)


def test_a_tree_is_synchronised_and_comes_back(host: LocalHost) -> None:
    root = host.home / "www"
    for name, text in {"index.html": "old", "same.css": "same", "sub dir/a.js": "old", "gone.txt": "left"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "index.html").chmod(0o604)
    for name in HOSTILE_NAMES:
        (root / name).write_text("theirs")
    (root / "link").symlink_to("/etc/passwd")
    untouched = (root / "same.css").stat()
    site = {"index.html": "new", "same.css": "same", "sub dir/a.js": "new", "deep/er/b -x.js": "b", "-dash.txt": "d"}
    at = {
        "archive": archive_of(host.home / "site.tar", site),
        "stage": str(host.home / "stage"),
        "root": str(root),
        "kept": str(host.home / "kept"),
    }
    for delete in (False, True):
        step = host.step("static_sync", **at, delete=delete)
        before = tree_of(root)
        assert not step.holds()
        assert step.apply() == "", host.output
        assert sorted(host.output.split("\n"))[:4] if delete else "same.css" not in host.output
        assert {name: (root / name).read_text() for name in site} == site
        assert oct((root / "index.html").stat().st_mode)[-3:] == "604"
        assert (root / "gone.txt").exists() is not delete
        assert (root / "-rf").exists() is not delete
        assert (root / "link").is_symlink()
        assert step.holds()
        assert step.apply() == "" and step.holds()
        assert (root / "same.css").stat().st_mtime_ns == untouched.st_mtime_ns
        archive = Path(at["archive"]).read_bytes()
        assert step.undo() == "", host.output
        assert tree_of(root) == before
        assert step.undo() == ""
        assert not (host.home / "pwned").exists() and not (root / "pwned").exists()
        Path(at["archive"]).write_bytes(archive)


def test_a_tree_that_was_cut_off_in_the_middle_goes_on_and_comes_back(host: LocalHost) -> None:
    root = host.home / "www"
    root.mkdir()
    (root / "a").write_text("old a")
    (root / "b").write_text("old b")
    archive = archive_of(host.home / "site.tar", {"a": "new a", "b": "new b", "c": "new c"})
    step = host.step("static_sync", archive=archive, stage=f"{host.home}/st", root=str(root), kept=f"{host.home}/k")
    before = tree_of(root)
    assert step.apply() == ""
    (root / "b").write_text("old b")  # as if the worker had died before it came here
    (root / "b.guardia-new").write_text("ne")
    (root / "c").unlink()
    assert not step.holds()
    assert step.apply() == "" and step.holds()
    assert step.undo() == ""
    assert tree_of(root) == before


@pytest.mark.parametrize("trick", ["folder link", "file link", "kept inside", "no root"])
def test_a_tree_never_leaves_its_root(host: LocalHost, trick: str) -> None:
    root, outside = host.home / "www", host.home / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    if trick == "folder link":
        (root / "sub").symlink_to(outside)
    elif trick == "file link":
        (root / "sub").mkdir()
        (root / "sub" / "victim").symlink_to(outside / "victim")
    kept = root / "kept" if trick == "kept inside" else host.home / "kept"
    root_path = host.home / "absent" if trick == "no root" else root
    archive = archive_of(host.home / "site.tar", {"a": "new", "sub/victim": "bad"})
    step = host.step("static_sync", archive=archive, stage=f"{host.home}/st", root=str(root_path), kept=str(kept))
    assert step.apply() != ""
    assert (outside / "victim").read_text() == "untouched"
    assert not (root / "a").exists()


CONFIG = "# threads\nport=8080\n  maxThreads=200\n\nmaxThreadsIdle=5\nkey with spaces = 'x\"y' \\ $(reboot)\nlast=1"


def test_a_configuration_line_is_changed_validated_and_comes_back(host: LocalHost) -> None:
    file = host.home / "app.conf"
    file.write_text(CONFIG)
    file.chmod(0o640)
    host.program("check", 'grep -q "^port=" "$1" || exit 1')
    host.program("reload", f"echo again >>'{host.home}/reloads'".replace("'x'", "'\"'x'\"'"))
    step = host.step(
        "config_line",
        path=str(file),
        key="maxThreads=",
        text="maxThreads=400 # '\"\\n $(id)",
        backup=f"{host.home}/kept",
        validate=["check", str(file)],
        reload=["reload"],
    )
    step.goes_round(lambda: file.read_text())
    assert oct(file.stat().st_mode)[-3:] == "640"
    assert (host.home / "reloads").read_text().count("again") == 4


def test_a_line_is_replaced_in_its_place_or_added(host: LocalHost) -> None:
    file = host.home / "app.conf"
    file.write_text(CONFIG)
    assert (
        host.step("config_line", path=str(file), key="maxThreads=", text="maxThreads=1", backup=f"{file}.1").apply()
        == ""
    )
    assert file.read_text().splitlines()[2] == "  maxThreads=1"
    assert host.step("config_line", path=str(file), key="", text="-x include", backup=f"{file}.2").apply() == ""
    assert file.read_text() == CONFIG.replace("maxThreads=200", "maxThreads=1") + "\n-x include\n"


def test_what_the_validation_refuses_is_put_back(host: LocalHost) -> None:
    file = host.home / "app.conf"
    file.write_text(CONFIG)
    step = host.step(
        "config_line", path=str(file), key="port=", text="port=no", backup=f"{host.home}/k", validate=["false"]
    )
    assert step.apply() == "exit status 4"
    assert file.read_text() == CONFIG
    (host.home / "link.conf").symlink_to(file)
    step = host.step("config_line", path=f"{host.home}/link.conf", key="port=", text="port=1", backup=f"{host.home}/l")
    assert step.apply() == "exit status 3"


def test_a_reload_that_was_cut_off_is_made_up_for(host: LocalHost) -> None:
    file = host.home / "app.conf"
    file.write_text(CONFIG)
    step = host.step(
        "config_line", path=str(file), key="port=", text="port=1", backup=f"{host.home}/k", reload=["true"]
    )
    assert host.perform(step.parts["apply"][:1]) == ""
    assert "port=1" in file.read_text() and not step.holds()
    assert step.apply() == "" and step.holds()


@pytest.mark.parametrize("is_new", [False, True])
def test_a_file_is_replaced_and_comes_back(host: LocalHost, is_new: bool) -> None:
    file, incoming = host.home / "a b.xml", host.home / "incoming"
    incoming.write_text("new")
    if not is_new:
        file.write_text("old")
        file.chmod(0o600)
    digest = hashlib.sha256(b"new").hexdigest()
    step = host.step("replace_file", incoming=str(incoming), path=str(file), sha256=digest, backup=f"{host.home}/kept")
    step.goes_round(lambda: tree_of(host.home).get("a b.xml"))
    refusing = host.step(
        "replace_file",
        incoming=str(incoming),
        path=str(file),
        sha256=digest,
        backup=f"{host.home}/k2",
        validate=["false"],
    )
    assert refusing.apply() == "exit status 4"
    assert file.exists() is not is_new


#: Named by its path: BusyBox's shell has a crontab of its own, that of the machine.
CRONTAB = """
case $1 in
-l) [ -f "$HOME/tab" ] && cat "$HOME/tab" || { echo "no crontab" >&2; exit 1; } ;;
*) cp "$1" "$HOME/tab" ;;
esac"""


@pytest.mark.parametrize("present", [None, "5 * * * * /srv/x 'y' \"z\" \\n $(id) %H\n# note\n"])
def test_a_cron_job_is_set_and_comes_back(host: LocalHost, present: str | None) -> None:
    tab = host.home / "tab"
    crontab = host.program("crontab", CRONTAB)
    if present:
        tab.write_text(present)
    step = host.step(
        "cron_job",
        crontab=crontab,
        name="nightly",
        when="0 3 * * 1-5",
        job="/srv/b.sh 'a b' >/dev/null",
        backup=f"{host.home}/k",
    )
    step.goes_round(lambda: tab.read_text().strip() if tab.exists() else "")


def test_a_cron_job_of_the_same_name_is_replaced_and_of_another_kept(host: LocalHost) -> None:
    tab = host.home / "tab"
    crontab = host.program("crontab", CRONTAB)
    tab.write_text("1 1 * * * /a\n")
    for number, when in enumerate(("0 3 * * *", "0 4 * * *")):
        assert (
            host.step(
                "cron_job", crontab=crontab, name="n", when=when, job="/b", backup=f"{host.home}/{number}"
            ).apply()
            == ""
        )
    assert tab.read_text() == "1 1 * * * /a\n# guardia:n\n0 4 * * * /b\n"
    removed = host.step("cron_remove", crontab=crontab, name="n", entry="1 1 * * * /a", backup=f"{host.home}/k")
    removed.goes_round(lambda: sorted(tab.read_text().strip().splitlines()))


def test_somebody_elses_later_change_of_the_crontab_survives_the_undo(host: LocalHost) -> None:
    crontab = host.program("crontab", CRONTAB)
    step = host.step("cron_job", crontab=crontab, name="n", when="@daily", job="/b", backup=f"{host.home}/k")
    assert step.apply() == ""
    tab = host.home / "tab"
    tab.write_text(tab.read_text() + "9 9 * * * /theirs\n")
    assert step.undo() == ""
    assert tab.read_text().strip() == "9 9 * * * /theirs"


def aged(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x" * 10)
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


def test_old_files_go_into_the_trash_and_come_back(host: LocalHost) -> None:
    folder, trash = host.home / "logs", host.home / "trash"
    for number, name in enumerate(HOSTILE_NAMES):
        aged(folder / f"sub {number}" / name, 40)
    young, other = aged(folder / "young.log", 1), aged(host.home / "outside.log", 40)
    (folder / "link.log").symlink_to(other)
    (folder / "folder-link").symlink_to(host.home / "elsewhere")
    aged(host.home / "elsewhere" / "old.log", 40)
    at = {"folder": str(folder), "trash": str(trash), "allowed": [str(host.home)]}
    counted = host.step("count_old", days=30, **at)
    assert (
        counted.apply() == "" and host.output.strip() == f"{len(HOSTILE_NAMES)} files, {len(HOSTILE_NAMES) * 10} bytes"
    )
    step = host.step("clean_old", days=30, **at)
    before = tree_of(folder)
    assert not step.holds()
    assert step.apply() == "" and host.output.strip() == f"{len(HOSTILE_NAMES)} files, {len(HOSTILE_NAMES) * 10} bytes"
    assert step.holds() and young.exists() and other.exists() and (host.home / "elsewhere" / "old.log").exists()
    assert len([path for path in trash.rglob("*") if path.is_file()]) == len(HOSTILE_NAMES)
    assert step.apply() == "" and host.output.strip() == "0 files, 0 bytes"
    assert step.undo() == "" and tree_of(folder) == before
    assert step.apply() == "" and host.step("restore_trash", **at).apply() == ""
    assert tree_of(folder) == before and not (host.home / "pwned").exists()


def test_what_is_there_again_is_not_overwritten_by_the_trash(host: LocalHost) -> None:
    folder, trash = host.home / "logs", host.home / "trash"
    old = aged(folder / "a.log", 40)
    at = {"folder": str(folder), "trash": str(trash), "allowed": [str(host.home)]}
    assert host.step("clean_old", days=30, **at).apply() == ""
    old.write_text("new one")
    assert host.step("restore_trash", **at).apply() == ""
    assert old.read_text() == "new one" and (trash / "a.log").read_text() == "x" * 10


@pytest.mark.parametrize("where", ["outside", "link out", "folder is a link", "trash inside", "absent", "names"])
def test_cleaning_keeps_to_the_allowed_folders(host: LocalHost, where: str) -> None:
    folder, allowed, trash = host.home / "app" / "logs", host.home / "app", host.home / "trash"
    victim = aged(host.home / "other" / "a.log", 40)
    aged(folder / "a.txt", 40)
    if where == "outside":
        folder = victim.parent
    elif where == "link out":
        (allowed / "up").symlink_to(host.home)
        folder = allowed / "up" / "other"
    elif where == "folder is a link":
        (allowed / "to").symlink_to(victim.parent)
        folder = allowed / "to"
    elif where == "trash inside":
        trash = folder / "trash"
    elif where == "absent":
        folder = allowed / "nothing"
    before = tree_of(host.home)
    step = host.step("clean_old", folder=str(folder), trash=str(trash), days=1, allowed=[str(allowed)], names="*.log")
    assert step.apply() == ("" if where == "names" else "exit status 3"), host.output
    (host.home / "trash.moved").unlink(missing_ok=True)  # the note of a move that found nothing
    assert tree_of(host.home) == before


def test_the_trash_is_emptied_of_what_was_moved_long_ago_alone(host: LocalHost) -> None:
    """The age of a trash counts from the move: what is in it was old before."""
    top, folder = host.home / "trash", host.home / "logs"
    for name in ("OPS-1", "OPS-2"):
        aged(folder / f"{name}\n.log", 400)
        at = {"folder": str(folder), "trash": f"{top}/{name}", "allowed": [str(host.home)], "names": f"{name}*"}
        assert host.step("clean_old", days=30, **at).apply() == "", host.output
    aged(top / "OPS-1.moved", 40)
    aged(top / "OPS-1" / "theirs.moved", 400)
    purge = host.step("purge_trash", trash=str(top), days=14)
    assert purge.apply() == "" and host.output.strip() == "2 files, 20 bytes"
    assert [path.name for path in sorted(top.rglob("*")) if path.is_file()] == ["OPS-2\n.log", "OPS-2.moved"]
    assert purge.apply() == "" and host.output.strip() == "0 files, 0 bytes"


def test_a_log_is_rotated_under_its_writer(host: LocalHost) -> None:
    log = host.home / "catalina.out"
    log.write_text("one\ntwo\n")
    inode = log.stat().st_ino
    step = host.step("rotate_log", path=str(log), archive=f"{host.home}/catalina.out.OPS-1")
    before = log.read_text()
    assert not step.holds()
    assert step.apply() == "" and step.holds(), host.output
    assert log.read_text() == "" and log.stat().st_ino == inode
    assert step.apply() == "" and step.holds()
    with log.open("a") as writer:
        writer.write("three\n")
    assert step.undo() == ""
    assert log.read_text() == before + "three\n" and log.stat().st_ino == inode
    assert step.undo() == "" and log.read_text() == before + "three\n"


def test_a_rotation_cut_off_after_the_copy_loses_no_line(host: LocalHost) -> None:
    log, copy = host.home / "a.log", host.home / "a.log.1"
    log.write_text("one\ntwo\n")
    copy.write_text("one\ntwo\n")
    with log.open("a") as writer:
        writer.write("three\n")
    step = host.step("rotate_log", path=str(log), archive=str(copy))
    assert step.apply() == "" and log.read_text() == ""
    assert subprocess.run(["gzip", "-dc", f"{copy}.gz"], capture_output=True).stdout == b"one\ntwo\nthree\n"


def test_a_back_up_is_made_and_can_be_read(host: LocalHost) -> None:
    for name in HOSTILE_NAMES:
        aged(host.home / "app" / name, 1)
    archive = host.home / "kept.tar.gz"
    step = host.step("back_up_tree", path=f"{host.home}/app", archive=str(archive))
    assert not step.holds()
    assert step.apply() == "" and step.holds(), host.output
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in host.output + Path(f"{archive}.sha256").read_text()
    with tarfile.open(archive) as opened:
        assert len([entry for entry in opened if entry.isfile()]) == len(HOSTILE_NAMES)
    archive.write_bytes(archive.read_bytes()[:-1])
    assert not step.holds()
    assert step.undo() == "" and not archive.exists() and step.undo() == ""
    assert host.step("back_up_tree", path=f"{host.home}/nothing", archive=str(archive)).apply() != ""


NGINX = """upstream was {
    server 10.0.0.1:8080 max_fails=1; # one
\tserver 10.0.0.2:8080;
    server 10.0.0.11:8080;
}
"""


def test_a_node_is_taken_out_of_nginx_and_comes_back(host: LocalHost) -> None:
    file = host.home / "upstream.conf"
    file.write_text(NGINX)
    host.program("nginx", f'echo "$*" >>"{host.home}/calls"; [ ! -e "{host.home}/bad" ]')
    host.program("sleep", "exit 0")  # no new workers are to be waited for
    for address in ("10.0.0.1:8080", "10.0.0.2:8080"):
        step = host.step("drain_nginx", upstream=str(file), address=address)
        step.goes_round(lambda: file.read_text())
        assert step.apply() == ""
    assert file.read_text().count(" down;") == 2 and "server 10.0.0.11:8080;" in file.read_text()
    assert host.step("undrain_nginx", upstream=str(file), address="10.0.0.1:8080").apply() == ""
    again = host.step("drain_nginx", upstream=str(file), address="10.0.0.2:8080")
    assert (
        again.apply() == "" and again.undo() == "" and "10.0.0.2:8080 down;" in file.read_text()
    )  # it was down before
    (host.home / "bad").touch()
    before = file.read_text()
    assert host.step("drain_nginx", upstream=str(file), address="10.0.0.1:8080").apply() == "exit status 4"
    assert file.read_text() == before
    assert host.step("drain_nginx", upstream=str(file), address="10.0.0.9:8080").apply() == "exit status 1"


def test_without_any_file_to_make_room_with_there_is_no_error(host: LocalHost) -> None:
    folder = host.home / "logs"
    folder.mkdir()
    at = {"folder": str(folder), "trash": f"{host.home}/trash", "allowed": [str(host.home)]}
    step = host.step("clean_old", days=30, **at)
    assert step.apply() == "" and step.holds() and step.undo() == ""
