"""What a dry run asks of each step of the library, and what it makes of the answers. Nothing that changes a host."""

from pathlib import Path
from typing import Any

import pytest

from execution.steps.library import LIBRARY
from execution.steps.ops import Step, change, check, run
from execution.steps.previews import answered, only_reads, preview_of, tree_changes
from tests.execution.local_host import LocalHost
from tests.execution.test_step_scripts import SHELLS

_SHA = "a" * 64
_SERVICE = {"pid_file": "/a/pid", "log_file": "/a/log", "startup": "/a/up", "shutdown": "/a/down", "start_seconds": 9}
_STOP = {**_SERVICE, "seconds": 9}
_FILE = {"incoming": "/a/new", "path": "/a/app.war", "backup": "/a/old", "sha256": _SHA}
_SYNC = {"archive": "/a/t.tar", "stage": "/a/s", "root": "/a/www", "kept": "/a/k", "delete": True}
_CLEAN = {"folder": "/a/logs", "trash": "/b/t", "days": 3, "allowed": ["/a"]}
_DATABASE = {
    "dialect": "sqlite",
    "database": "/a/x.db",
    "client": "",
    "log_in": False,
    "host": "",
    "port": 0,
    "user": "",
}


def made(kind: str, **arguments: Any) -> Step:
    return LIBRARY[kind](**arguments)


@pytest.mark.parametrize(
    ("step", "kind", "then"),
    [
        (made("swap", **_FILE), "value", _SHA),
        (made("replace_file", **_FILE, reload=["true"]), "value", _SHA),
        (made("install_certificate", **_FILE), "value", _SHA),
        (made("stop", **_STOP), "state", ""),
        (made("config_line", path="/a/c", key="k=", text="k=1", backup="/a/b"), "lines", "k=1"),
        (made("static_sync", **_SYNC), "tree", ""),
        (made("check_disk", path="/a", free_mib=5), "look", ""),
        (made("http_check", port=80, path="/"), "look", ""),
        (made("count_old", **_CLEAN), "look", ""),
        (made("port_open", port=80, name="x"), "holds", ""),
        (made("cron_job", name="x", when="@daily", job="true", backup="/a/b"), "holds", ""),
        (made("back_up", path="/a/app.war", backup="/a/old"), "holds", ""),
        (made("sql_ready", database=_DATABASE), "look", ""),
        (made("sql_count", database=_DATABASE, table="t", where="a = 1", expected=2), "look", ""),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else None,
)
def test_what_is_asked(step: Step, kind: str, then: str) -> None:
    preview = preview_of(step)
    assert preview is not None and (preview.kind, preview.then) == (kind, then)
    assert all(only_reads(op) for op in preview.ops)
    assert not any("pause_ms" in op or "save" in op for op in preview.ops), "asked once, and nothing is kept"


@pytest.mark.parametrize(
    "step",
    [
        made("upload", sha256=_SHA, size=5, path="/a/new"),
        made("script", language="shell", text="echo x", changes=False),
        made("script", language="shell", text="touch /a/x", done="test -e /a/x"),
        made("tidy", paths=["/a/new"]),
        made("reboot"),
        made("restore_trash", folder="/a/logs", trash="/b/t", allowed=["/a"]),
        made("purge_trash", trash="/b/t", days=3),
        made("analyse_log", log_file="/a/log"),
        made("sql_query", database=_DATABASE, statement="SELECT a FROM t WHERE a = 1"),
        made("verify", sha256=_SHA, path="/a/new"),
        check("check_disk", run("rm", "-rf", "--", "/a")),
        change("x", run("false"), probe=[run("sh", "-c", "rm -rf /a", "guardia", "is")]),
    ],
    ids=lambda step: step["name"],
)
def test_what_would_do_it_or_is_the_work_itself_is_not_asked(step: Step) -> None:
    assert preview_of(step) is None


def test_every_step_of_the_library_that_is_asked_only_reads() -> None:
    """Also those that come later: a step's probe may be the deed itself."""
    for step in (made("tidy", paths=["/a"]), made("purge_trash", trash="/b/t", days=3)):
        assert step["probe"] and not all(only_reads(op) for op in step["probe"])


@pytest.mark.parametrize(
    ("kind", "arguments", "said", "problem", "verdict"),
    [
        ("swap", _FILE, f"{_SHA}\n", "", "same"),
        ("swap", _FILE, f"{'b' * 64}\n", "", "changes"),
        ("swap", _FILE, "No such file\n", "", "changes"),
        ("stop", _STOP, "4711\n", "", "changes"),
        ("stop", _STOP, "", "", "same"),
        ("config_line", {"path": "/a/c", "key": "k=", "text": "k=1", "backup": "/a/b"}, "  k=1\n", "", "same"),
        ("config_line", {"path": "/a/c", "key": "k=", "text": "k=1", "backup": "/a/b"}, "k=0\n", "", "changes"),
        ("config_line", {"path": "/a/c", "key": "k=", "text": "k=1", "backup": "/a/b"}, "k=1\nk=1\n", "", "changes"),
        ("back_up", {"path": "/a/x", "backup": "/a/y"}, "", "exit status 1", "changes"),
        ("back_up", {"path": "/a/x", "backup": "/a/y"}, "", "", "same"),
        ("check_disk", {"path": "/a", "free_mib": 5}, "7\n", "", "looks"),
        ("check_disk", {"path": "/a", "free_mib": 5}, "3\n", "3 is less than 5", "stops"),
    ],
)
def test_what_the_answers_say(kind: str, arguments: Any, said: str, problem: str, verdict: str) -> None:
    step = made(kind, **arguments)
    preview = preview_of(step)
    assert preview is not None
    assert answered(step["name"], preview, said, problem)["verdict"] == verdict


@pytest.fixture(params=SHELLS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> LocalHost:
    return LocalHost(request.param, tmp_path / "host 'x'")


def test_the_tree_is_listed_and_compared(host: LocalHost) -> None:
    root = host.home / "www"
    for name, text in {"same.css": "same", "sub dir/a.js": "old", "gone.txt": "left", "-rf": "x"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "link").symlink_to("/etc/passwd")
    import hashlib

    archive = {
        name: hashlib.sha256(text.encode()).hexdigest()
        for name, text in {"same.css": "same", "sub dir/a.js": "new", "deep/b.js": "b"}.items()
    }
    preview = preview_of(made("static_sync", **{**_SYNC, "root": str(root)}))
    assert preview is not None
    before = sorted(path.name for path in root.rglob("*"))
    assert host.perform(preview.ops) == "", host.output
    assert tree_changes(host.output, archive, delete=False) == ["+ deep/b.js", "~ sub dir/a.js"]
    assert tree_changes(host.output, archive, delete=True)[2:] == ["- -rf", "- gone.txt"]
    assert sorted(path.name for path in root.rglob("*")) == before
    preview = preview_of(made("static_sync", **{**_SYNC, "root": str(root / "none")}))
    assert preview is not None and host.perform(preview.ops) == "" and host.output == "", "nothing is there yet"


def test_the_lines_of_a_setting(host: LocalHost) -> None:
    file = host.home / "app.conf"
    file.write_text("# k=9\n  k=0\nother=k=\nk=1")
    preview = preview_of(made("config_line", path=str(file), key="k=", text="k=1", backup="/a/b"))
    assert preview is not None and host.perform(preview.ops) == ""
    assert host.output == "  k=0\nk=1\n"
    preview = preview_of(made("config_line", path=str(host.home), key="k=", text="k=1", backup="/a/b"))
    assert preview is not None and host.perform(preview.ops) != ""
