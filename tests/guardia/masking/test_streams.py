"""A secret across a border of two pieces is seen whole; private keys are hidden to their last line."""

import base64
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from guardia.common.masking import MASK, StreamMask, mask, mask_all
from guardia.common.masking.stream import CUT, LONGEST_LINE
from guardia.common.signing import new_key
from tests.guardia.masking.measure import clear, labels, sample

LINES = [line for line in sample("written.txt") if line and not line.startswith("# ")]
PEM = new_key()
WORDS = [line for line in PEM.splitlines() if "-----" not in line]
STAMP = "2026-11-21 16:28:17.123 INFO  [main] k.g.App - "


def streamed(text: str, borders: list[int]) -> str:
    stream, told, at = StreamMask(mask_all), "", 0
    for border in [*sorted(borders), len(text)]:
        told += stream.feed(text[at:border])
        at = max(at, border)
    return told + stream.close()


@settings(max_examples=200, deadline=None)
@given(some.integers(0, 2**32))
def test_wherever_it_is_cut_the_same_comes_out(seed: int) -> None:
    dice = Random(seed)
    text = "\n".join(clear(line) for line in dice.choices(LINES, k=8))
    borders = [dice.randrange(len(text) + 1) for _ in range(dice.randrange(12))]
    assert streamed(text, borders) == "\n".join(mask_all(line) for line in text.split("\n"))


def test_nothing_leaves_before_its_line_is_whole() -> None:
    for line in LINES:
        stream = StreamMask(mask_all)
        assert "".join(stream.feed(char) for char in clear(line)) == ""
        told = stream.close()
        assert not any(value in told for _kind, value in labels(line) if len(value) > 4)


@pytest.mark.parametrize("pieces", [1, 7, 4096, 100_000])
def test_a_line_is_bounded_and_what_is_cut_off_shows_no_half_of_a_secret(pieces: int) -> None:
    secret = "ghp_" + "a1B2" * 9
    text = "x" * (LONGEST_LINE - 20) + " " + secret + "y" * 200_000 + "\nnext\n"
    stream, told = StreamMask(mask), ""
    for at in range(0, len(text), pieces) if pieces > 1 else range(0):
        told += stream.feed(text[at : at + pieces])
        assert len(stream._rest) <= LONGEST_LINE + 1
    if pieces > 1:
        first, second, last = told.split("\n")
        assert len(first) <= LONGEST_LINE + len(CUT) and first.endswith(CUT) and "ghp_" not in first
        assert (second, last) == ("next", "")


@pytest.mark.parametrize("before", ["", STAMP, "    ", "Nov 21 16:28:17 was01 app[7]: "])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_private_key_is_hidden_to_its_last_line(before: str, is_stream: bool) -> None:
    text = "\n".join([f"{before}loading key", *(before + line for line in PEM.splitlines()), f"{before}key loaded"])
    said = streamed(text, list(range(0, len(text), 50))) if is_stream else mask(text)
    assert not any(word[:12] in said for word in WORDS)
    assert said.startswith(f"{before}loading key\n") and said.endswith(f"\n{before}key loaded")


def test_halves_of_a_key_in_one_text() -> None:
    lines = PEM.splitlines()
    for text in (
        "\n".join(lines[:-1]),
        "\n".join(lines[1:]),
        PEM.replace("\n", "\\n"),
        '{"key":"' + PEM.replace("\n", "\\n") + '"}',
    ):
        assert not any(word[:12] in mask(text) for word in WORDS), text


@pytest.mark.parametrize("kind", ["RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA ", ""])
@pytest.mark.parametrize("size", [1, 31, 64, 300, 1600])
def test_keys_of_every_size_and_name(kind: str, size: int) -> None:
    body = base64.b64encode(Random(size).randbytes(max(size, 24))).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    head = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0A1B2C", ""] if kind == "RSA " else []
    text = "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *head, *lines, f"-----END {kind}PRIVATE KEY-----", "done"])
    for said in (mask(text), streamed(text, [5, 40, 41, 90])):
        assert not any(line[:8] in said for line in lines) and said.endswith("\ndone")


def test_what_only_speaks_of_keys_stays_readable() -> None:
    text = "expected -----BEGIN PRIVATE KEY-----\n2026-11-21 16:28:17 INFO started\nall good\n" + "word\n" * 20
    assert mask(text) == f"expected {MASK}\n2026-11-21 16:28:17 INFO started\nall good\n" + "word\n" * 20
    certificate = PEM.replace("PRIVATE KEY", "CERTIFICATE")
    assert mask(certificate) == certificate
