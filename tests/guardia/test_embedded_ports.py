"""Choosing a port that is free."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.ports import choose_port

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with closing(socket.create_server((HOST, 0))) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_kept(taken: int) -> None:
    assert choose_port(taken, "127.0.0.2") == taken  # the same number on another address


def test_a_taken_port_gives_the_next_free_one(taken: int) -> None:
    chosen = choose_port(taken)

    assert taken < chosen < taken + 100
    socket.create_server((HOST, chosen)).close()


@pytest.mark.parametrize(
    ("port", "host", "reason"), [(8000, "192.0.2.1", "can't listen on 192.0.2.1:8000"), (70000, HOST, "no free port")]
)
def test_an_impossible_wish_is_an_error(port: int, host: str, reason: str) -> None:
    with pytest.raises(EmbeddedError, match=reason):
        choose_port(port, host)
