"""The steps at a real nginx: no request fails while a node is out, odd but legal files, and what must come back."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb.models import Balancer
from execution.models import Run
from tests.execution.fleet_tenant import FleetTenant, artefact, assert_consistent, own_fleet, statuses
from tests.execution.local_host import LocalHost, LocalStep
from tests.execution.nginxes import PROGRAM, Nginx, Node, Requests
from tests.execution.worker import until, workers

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
SHELLS = ["dash", pytest.param("busybox", marks=pytest.mark.skipif(not shutil.which("busybox"), reason="no BusyBox"))]
A, B = "10.0.0.1:8080", "10.0.0.2:8080"


@pytest.fixture(params=SHELLS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> LocalHost:
    return LocalHost(request.param, tmp_path / "host 'x'")


@pytest.fixture
def hurried(host: LocalHost) -> LocalHost:
    """For where no nginx begins new workers: a second of waiting for them is short."""
    host.program("sleep", f"exec {shutil.which('sleep')} 0.02")
    host.program("nginx", "")
    return host


class Site:
    """nginx before two nodes, and the steps at it."""

    def __init__(self, host: LocalHost, home: Path) -> None:
        address = f"127.5.{os.getpid() % 250}.1"
        self.host, self.nodes = host, [Node(address), Node(address)]
        lines = "".join(f"\tserver  {node.peer}\tmax_fails=1; # node\n" for node in self.nodes)
        self.nginx = Nginx(home, address, f"upstream was {{\n{lines}}}\n")

    def step(self, kind: str, node: Node | None = None) -> LocalStep:
        peer = (node or self.nodes[0]).peer
        return self.host.step(kind, upstream=str(self.nginx.file), address=peer, nginx=str(self.nginx.program))


@pytest.fixture
def site(host: LocalHost, tmp_path: Path) -> Iterator[Site]:
    site = Site(host, tmp_path / "nginx")
    with site.nginx.running():
        yield site
    for node in site.nodes:
        node.stop()


def test_no_request_fails_while_a_node_is_drained_worked_on_and_put_back(site: Site) -> None:
    node = site.nodes[0]
    drain, undrain = site.step("drain_nginx"), site.step("undrain_nginx")
    with Requests(site.nginx, "/ / / /slow /slow") as load:
        time.sleep(0.5)
        assert node.asked and not drain.holds()
        assert drain.apply() == "", site.host.output
        asked, others = node.asked, site.nodes[1].asked
        assert drain.holds() and not undrain.holds()
        node.stop()
        time.sleep(0.5)
        assert node.asked == asked and site.nodes[1].asked > others + 5, "nothing is sent to it, all to the other"
        node.start()
        assert undrain.apply() == "", site.host.output
        assert undrain.holds() and not drain.holds()
        time.sleep(0.5)
        assert node.asked > asked + 5, "it is used again"
        assert drain.apply() == "" and drain.undo() == "", site.host.output
        assert not drain.holds()
    assert load.failed == [] and load.done > 100, (load.failed[:5], load.done)
    assert sorted(path.name for path in site.nginx.file.parent.iterdir()) == ["was"], "nothing is left beside the file"


def test_two_nodes_at_once_wait_for_each_other(site: Site) -> None:
    """Each edit is whole: neither overwrites the other."""
    steps = [site.step("drain_nginx", node) for node in site.nodes]
    problems: list[str] = []
    threads = [threading.Thread(target=lambda step=step: problems.append(step.apply())) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == ["", ""] and site.nginx.file.read_text().count(" down;") == 2


def test_a_file_that_nginx_refuses_comes_back(site: Site) -> None:
    before = site.nginx.file.read_bytes()
    conf = site.nginx.conf.read_text()
    site.nginx.conf.write_text(conf + "nonsense;")  # somebody else's half-done work
    step = site.step("drain_nginx")
    assert step.apply() == "exit status 4" and "nonsense" in site.host.output
    assert site.nginx.file.read_bytes() == before and not step.holds()
    site.nginx.conf.write_text(conf)
    assert step.apply() == "" and step.undo() == "" and site.nginx.file.read_bytes() == before


def test_a_file_that_nginx_agrees_with_but_does_not_take_over_comes_back(site: Site, hurried: LocalHost) -> None:
    """`nginx -t` doesn't see that a port is another's."""
    before = site.nginx.file.read_bytes()
    with socket.create_server((site.nginx.address, 0)) as taken:
        place = f"{site.nginx.address}:{taken.getsockname()[1]}"
        conf = site.nginx.conf.read_text()
        site.nginx.conf.write_text(conf.replace("server { listen", f"server {{ listen {place}; listen"))
        assert site.nginx.problem() == ""
        step = site.step("drain_nginx")
        assert step.apply() == "exit status 6" and "did not take it over" in site.host.output
    assert site.nginx.file.read_bytes() == before and not step.holds()


def test_without_a_running_nginx_the_file_comes_back(hurried: LocalHost, tmp_path: Path) -> None:
    nginx = Nginx(tmp_path / "nginx", "127.0.0.1", f"upstream was {{ server {A}; server {B}; }}\n")
    step = hurried.step("drain_nginx", upstream=str(nginx.file), address=A, nginx=str(nginx.program))
    before = nginx.file.read_bytes()
    assert step.apply() == "exit status 6" and nginx.file.read_bytes() == before
    assert list(nginx.file.parent.iterdir()) == [nginx.file]


def test_an_edit_that_was_cut_off_does_not_count_as_done(site: Site) -> None:
    """The file says so already, nginx doesn't know yet: the probe must not hold, and the step can be done again."""
    text = site.nginx.file.read_text()
    site.nginx.file.write_text(text.replace("; # node", " down; # node", 1))
    mark = site.nginx.file.parent / f".was.{site.nodes[0].peer}.guardia-old"
    mark.write_text(text)
    step = site.step("drain_nginx")
    assert not step.holds()
    site.host.saved["down_before"] = "0"
    assert site.host.perform([op for op in step.parts["apply"] if "save" not in op]) == "", site.host.output
    assert step.holds() and not mark.exists()
    assert step.undo() == "" and site.nginx.file.read_text() == text


#: What people write → what draining A makes of it, or what is said; the digits and the fewest others, as printed.
ODD = {
    "one line": (f"upstream was {{ server {A}; server {B}; }}\n", f"upstream was {{ server {A} down; server {B}; }}\n"),
    "parameters": (
        f"upstream was {{\n\tserver\t{A}   weight=2\tmax_fails=1 ;\n server {B};}}",
        f"upstream was {{\n\tserver\t{A}   weight=2\tmax_fails=1  down;\n server {B};}}",
    ),
    "comments": (
        f"# server {A};\nupstream was {{ # {{ it's\n server {A}; # not down; server {A} down;\n server {B};\n}}\n",
        f"# server {A};\nupstream was {{ # {{ it's\n server {A} down; # not down; server {A} down;\n server {B};\n}}\n",
    ),
    "over lines": (
        f"upstream was {{\n server\n  {A} # the first\n  weight=2\n ;\n server {B};\n}}\n",
        f"upstream was {{\n server\n  {A} # the first\n  weight=2\n  down;\n server {B};\n}}\n",
    ),
    "quotes": (
        f"upstream was {{ server \"{A}\" 'weight=2'; server {B}; }}\n",
        f"upstream was {{ server \"{A}\" 'weight=2' down; server {B}; }}\n",
    ),
    "Windows' line ends": (
        f"upstream was {{\r\n server {A};\r\n server {B};\r\n}}\r\n",
        f"upstream was {{\r\n server {A} down;\r\n server {B};\r\n}}\r\n",
    ),
    "two upstreams": (
        f"upstream was {{ server {A}; server {B}; }}\nupstream api {{ server {A} down; server {B}; server {A}; }}\n",
        f"upstream was {{ server {A} down; server {B}; }}\n"
        f"upstream api {{ server {A} down; server {B}; server {A} down; }}\n",
    ),
    "other kinds of server": (
        f"upstream was {{ zone z 64k; server unix:/run/x.sock; server {A}; server {B} backup; }}\n"
        f"server {{ listen 127.0.0.1:1; server_name {A}; set $x ${{host}}; location ~ a {{ return 404; }} }}\n",
        f"upstream was {{ zone z 64k; server unix:/run/x.sock; server {A} down; server {B} backup; }}\n"
        f"server {{ listen 127.0.0.1:1; server_name {A}; set $x ${{host}}; location ~ a {{ return 404; }} }}\n",
    ),
    "already down": (
        f"upstream was {{ server {A} down weight=2; server {B}; }}\n",
        f"upstream was {{ server {A} down weight=2; server {B}; }}\n",
    ),
    "a longer neighbour": (
        f"upstream was {{ server 1{A}; server {A[:-1]}; server {A} backup; server {B}; }}\n",
        f"upstream was {{ server 1{A}; server {A[:-1]}; server {A} backup down; server {B}; }}\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_people_write_is_understood_as_nginx_understands_it(hurried: LocalHost, tmp_path: Path, name: str) -> None:
    before, after = (text.encode() for text in ODD[name])
    nginx = Nginx(tmp_path / "nginx", "127.0.0.1", "")
    nginx.file.write_bytes(before)
    assert nginx.problem() == "", "nginx itself takes it"
    hurried.program("nginx", f'[ "$1" = -s ] || exec "{nginx.program}" "$@"')  # nothing runs that could reload
    step = hurried.step("drain_nginx", upstream=str(nginx.file), address=A)
    assert not step.holds() or before == after
    assert step.apply() == "", hurried.output
    assert nginx.file.read_bytes() == after and nginx.problem() == "" and step.holds()
    assert step.undo() == "" and nginx.file.read_bytes() == before, hurried.output
    back = hurried.step("undrain_nginx", upstream=str(nginx.file), address=A)
    assert step.apply() == "" and back.apply() == "" and back.holds() and not step.holds()
    assert b"down" not in nginx.file.read_bytes().replace(b"not down; server " + A.encode() + b" down;", b"")
    assert nginx.problem() == ""
    assert back.undo() == "" and step.holds() and sorted(nginx.file.read_bytes()) == sorted(after)


def test_a_file_of_lines_alone_and_the_usual_port_are_known(hurried: LocalHost) -> None:
    """What stands in the block of another file; and `server 10.0.0.1;` means port 80."""
    file = hurried.home / "was.servers"
    file.write_text("server 10.0.0.1 weight=3;\nserver 10.0.0.2:80; # it's the last")
    for peer in ("10.0.0.1:80", "10.0.0.2:80"):
        hurried.step("drain_nginx", upstream=str(file), address=peer).goes_round(file.read_text)


@pytest.mark.parametrize(
    ("text", "problem", "said"),
    [
        ("upstream was { server 10.0.0.2:8080; }", "exit status 1", "no such server"),
        (f"server {{ server_name {A}; }}", "exit status 1", "no such server"),
        ("upstream was { include lines/*; server 10.0.0.2:8080; }", "exit status 8", "name the one with it"),
        (f"upstream was {{ server {A};", "exit status 3", "not understood"),
        (f"upstream was {{ server {A}; }} }}", "exit status 3", "not understood"),
        (f"upstream was {{ server {A} }}", "exit status 3", "not understood"),
        (f"upstream was {{ server {A}; server \"x; }}", "exit status 3", "not understood"),
        ("", "exit status 1", "no such server"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_a_reason(
    hurried: LocalHost, text: str, problem: str, said: str
) -> None:
    file = hurried.home / "was.conf"
    file.write_text(text)
    assert hurried.step("drain_nginx", upstream=str(file), address=A).apply() == problem
    assert said in hurried.output and file.read_text() == text and list(hurried.home.iterdir()) == [file]


@pytest.mark.parametrize(("where", "said"), [("link", "a link"), ("folder", "no such file"), ("absent", "no such")])
def test_only_the_file_itself_is_edited(hurried: LocalHost, where: str, said: str) -> None:
    file = hurried.home / "was.conf"
    (hurried.home / "real.conf").write_text(f"server {A};")
    if where == "link":
        file.symlink_to("real.conf")
    elif where == "folder":
        file.mkdir()
    assert hurried.step("drain_nginx", upstream=str(file), address=A).apply() == "exit status 3"
    assert said in hurried.output


def balancer(file: Path, **values: object) -> dict[str, object]:
    empty: dict[str, object] = {name: [] for name in ("drain", "undrain", "drained", "used")}
    return {"name": "web", "kind": "nginx", "on": "", "control": str(file), "backend": "", "member": A, "program": "",
            "seconds": 5, "others": 1, **empty, **values}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "others"),
    [
        (f"upstream was {{ server {A}; server {B}; }} upstream x {{ server 10.0.0.9:1; server 10.0.0.8:1; }}", 1),
        (f"upstream was {{ server {A}; server {B} down; server unix:/x; }}", 1),
        (f"upstream was {{ server {A}; server {B}; }} upstream api {{ server {A}; }}", 0),
        (f"upstream was {{ server {A}; server {B}; }} upstream api {{ server {A} down; }}", 1),
        (f"upstream was {{ server {A}; server {B} backup; }} server {{ server_name x; }}", 0),
    ],
)
def test_the_last_node_of_any_upstream_is_not_taken_out(hurried: LocalHost, text: str, others: int) -> None:
    file = hurried.home / "was.conf"
    file.write_text(text)
    problem = hurried.step("drain", balancers=[balancer(file)]).apply()
    assert problem == ("" if others else "0 is less than 1")
    assert (f"server {A} down;" in file.read_text().split("}")[0]) is bool(others)


def test_what_people_had_taken_out_in_one_upstream_stays_out_there(hurried: LocalHost) -> None:
    file = hurried.home / "was.conf"
    text = f"upstream was {{ server {A}; server {B}; }}\nupstream api {{ server {A} down; server {B}; }}\n"
    file.write_text(text)
    out, back = (hurried.step(kind, balancers=[balancer(file)]) for kind in ("drain", "undrain"))
    assert out.apply() == "" and out.holds() and not back.holds()
    assert back.apply() == "" and back.holds() and file.read_text() == text
    assert out.apply() == ""
    file.write_text(file.read_text().replace(f"server {A} down; server {B}; }}\nupstream api", "}\nupstream api"))
    assert back.apply() == "exit status 7" and "others than before" in hurried.output, "nobody can tell which is which"


@pytest.mark.slow
def test_no_request_fails_during_a_rolling_deploy_nor_during_its_rollback(
    transactional_db: None, in_english: None, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """From the plan through the gate and SSH, by a real worker, on the balancer's own host."""
    with own_fleet(tmp_path_factory.mktemp("f"), "auto", count=3) as fleet:
        tenant = FleetTenant(fleet, count=2)
        lines = "".join(f" server {server.address}:{server.http_port};\n" for server in tenant.servers)
        nginx = Nginx(tmp_path_factory.mktemp("n"), tenant.servers[0].address, f"upstream was {{\n{lines}}}\n")
        row = Balancer(
            profile=tenant.profile, name="web", kind="nginx", server=tenant._register(fleet.inventory()[2], ""),
            control=str(nginx.file), member="{address}:{port}", program=str(nginx.program), seconds=20,
        )  # fmt: skip
        row.full_clean()
        row.save()
        before = nginx.file.read_text()
        with nginx.running():
            for version, broken, ends in (("2.1.0", False, "SUCCEEDED"), ("2.2.0", True, "ROLLED_BACK")):
                task, plan = tenant.approved(content=artefact(version, broken=broken))
                assert {host["check"]["verdict"] for host in plan.content["hosts"].values()} == {"allow"}
                with workers(home) as start, Requests(nginx, "/ / /") as load:
                    start()
                    until(lambda task=task: Run.objects.filter(task=task).exclude(finished_at=None).exists(), 180)
                run = Run.objects.get(task=task)
                assert run.status == ends, (run.reason, statuses(run))
                assert load.failed == [] and load.done > 100, (load.failed[:5], load.done)
                assert nginx.file.read_text() == before
                assert_consistent(run)
        assert {state.version for state in tenant.states().values()} == {"2.1.0"}
