"""The archives that are deployed on the fleet."""

import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from demo.artefacts import build_artefact


def test_the_same_version_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = (
        build_artefact(tmp_path / name, version).read_bytes() for name, version in [("a", "1"), ("b", "1"), ("c", "2")]
    )

    assert first == second != other


def test_it_holds_a_descriptor_and_its_version(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_artefact(tmp_path / "app.war", "2.1.0")) as archive:
        assert archive.testzip() is None
        assert archive.read("WEB-INF/version.txt") == b"2.1.0\n"
        ElementTree.fromstring(archive.read("WEB-INF/web.xml"))  # noqa: S314 - our own file


def test_a_broken_one_is_a_good_zip_with_a_bad_descriptor(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_artefact(tmp_path / "app.war", "2.1.0", broken=True)) as archive:
        assert archive.testzip() is None
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring(archive.read("WEB-INF/web.xml"))  # noqa: S314 - our own file


@pytest.mark.parametrize("size", [10_000, (1 << 20) + 1, 5 << 20])
def test_padding_reaches_the_size_exactly(tmp_path: Path, size: int) -> None:
    path = build_artefact(tmp_path / "app.war", "2.1.0", size=size)

    assert path.stat().st_size == size
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
