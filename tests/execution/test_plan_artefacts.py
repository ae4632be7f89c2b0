"""Files that come with a task, before anything is planned with them: ZIPs of a site and certificates, hostile too."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from demo.certificates import make_certificate
from execution.exceptions import PlanRefused
from execution.plan.certificate import certificate_facts
from execution.plan.site import as_tar, is_safe
from tickets.models.artefact import stored_path


@pytest.fixture(autouse=True)
def store(home: Path, in_english: None) -> None:
    (home / "artefacts").mkdir()


def zip_of(folder: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    path = folder / "site.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_the_same_zip_is_always_the_same_tar(tmp_path: Path) -> None:
    path = zip_of(tmp_path, ("b/c.html", b"c"), ("공지/첨부 1.txt", b"k"), ("-x;$(id)", b"d"), ("b/", b""))
    facts = as_tar(path)
    assert facts == as_tar(path) and facts["files"] == 3
    stored = stored_path(facts["tree_sha256"])
    assert stored.stat().st_size == facts["tree_size"]
    with tarfile.open(stored) as tar:
        assert [(entry.name, entry.isfile(), entry.mode) for entry in tar] == [
            ("-x;$(id)", True, 0o644),
            ("b/c.html", True, 0o644),
            ("공지/첨부 1.txt", True, 0o644),
        ]


def test_names_of_a_korean_windows_are_read(tmp_path: Path) -> None:
    path = zip_of(tmp_path, ("abcdef.txt", b"x"))
    raw = path.read_bytes().replace(b"abcdef.txt", "공지".encode("cp949") + b"__.txt"[-6:])
    path.write_bytes(raw)
    with tarfile.open(stored_path(as_tar(path)["tree_sha256"])) as tar:
        assert tar.getnames() == ["공지__.txt"]


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


HOSTILE: list[tuple[list[tuple[Any, bytes]], str]] = [
    ([("../up", b"")], "not allowed"),
    ([("a/../../up", b"")], "not allowed"),
    ([("/etc/passwd", b"")], "not allowed"),
    ([("a\nb", b"")], "not allowed"),
    ([("a\x1b[31m", b"")], "not allowed"),
    ([("a\u202eb", b"")], "not allowed"),
    ([("a\\..\\b", b"")], "not allowed"),
    ([("C:evil", b"")], "not allowed"),
    ([("a//b", b"")], "not allowed"),
    ([("./a", b"")], "not allowed"),
    ([("x.guardia-new", b"")], "not allowed"),
    ([(link("l"), b"/etc/passwd")], "not a plain file"),
    ([("a", b""), ("a/b", b"")], "twice"),
    ([("a" * 300, b"")], "too long"),
    ([("only/", b"")], "empty"),
]


@pytest.mark.parametrize(("entries", "words"), HOSTILE)
def test_a_hostile_zip_is_refused(tmp_path: Path, entries: list[tuple[Any, bytes]], words: str) -> None:
    with pytest.raises(PlanRefused, match=words):
        as_tar(zip_of(tmp_path, *entries))
    assert not [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()]


def test_zips_that_grow_lie_or_are_none_are_refused(tmp_path: Path, settings: Any) -> None:
    settings.GUARDIA_ARTEFACT_LIMIT = 100_000
    with pytest.raises(PlanRefused, match="too large"):
        as_tar(zip_of(tmp_path, ("bomb", b"\0" * 200_000)))
    good = zip_of(tmp_path, ("a", b"x" * 1000)).read_bytes()
    for content in (b"", b"no zip", good[:-30], good.replace(good[40:50], b"\xff" * 10)):
        broken = tmp_path / "broken.zip"
        broken.write_bytes(content)
        with pytest.raises(PlanRefused, match="not a ZIP"):
            as_tar(broken)
    double = io.BytesIO()
    with zipfile.ZipFile(double, "w") as archive, pytest.warns(UserWarning):
        archive.writestr("a", "1")
        archive.writestr("a", "2")
    (tmp_path / "double.zip").write_bytes(double.getvalue())
    with pytest.raises(PlanRefused, match="twice"):
        as_tar(tmp_path / "double.zip")


def test_safe_names() -> None:
    assert all(map(is_safe, ("a", "a b/c", ".well-known/x", "-rf", "공지", "a..b")))
    assert not any(map(is_safe, ("", "..", "/", "a/", "a/./b", "a\x00b")))


def signed(names: list[str], **options: Any) -> tuple[bytes, Any]:
    certificate, key = make_certificate(names, **options)
    loaded: Any = serialization.load_pem_private_key(key, None)
    return certificate, (x509.load_pem_x509_certificate(certificate), loaded)


def facts(folder: Path, content: bytes, domain: str = "www.example.go.kr") -> dict[str, Any]:
    (folder / "c.pem").write_bytes(content)
    return certificate_facts(folder / "c.pem", domain)


def test_a_certificate_with_its_chain_is_described(tmp_path: Path) -> None:
    root, root_key = signed(["Root"], is_authority=True)
    middle, middle_key = signed(["Middle"], is_authority=True, issuer=root_key)
    leaf, pair = signed(["*.example.go.kr", "example.go.kr"], issuer=middle_key)
    found = facts(tmp_path, leaf + middle + root)
    assert found["certificate_sha256"] == pair[0].fingerprint(hashes.SHA256()).hex()
    assert found["certificate_names"] == ["*.example.go.kr", "example.go.kr"]
    with pytest.raises(PlanRefused, match="chain is broken"):
        facts(tmp_path, leaf + root)
    with pytest.raises(PlanRefused, match="not for a"):
        facts(tmp_path, leaf + middle, domain="a.b.example.go.kr")


def test_certificates_that_must_not_be_installed_are_refused(tmp_path: Path) -> None:
    good, key = make_certificate(["www.example.go.kr"])
    old, _ = make_certificate(["www.example.go.kr"], days=-5)
    assert facts(tmp_path, good)["certificate_until"].endswith("Z")
    for content, words in (
        (good + key, "private key must not travel"),
        (old, "isn't valid now"),
        (b"", "no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
        (good + b"x" * 300_000, "too large"),
    ):
        with pytest.raises(PlanRefused, match=words):
            facts(tmp_path, content)
