"""Finding a TCP port to listen on."""

import errno
import socket

from guardia.embedded.exceptions import EmbeddedError

_TRIES = 100


def choose_port(preferred: int, host: str = "127.0.0.1") -> int:
    """The preferred port if it is free, or the next free one above, so that the caller can name it.

    Raises EmbeddedError if the host isn't ours, the port isn't allowed to us, or the next 100 are taken.
    """
    for port in range(preferred, min(preferred + _TRIES, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is free
            try:
                probe.bind((host, port))
                probe.listen(1)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                raise EmbeddedError(f"can't listen on {host}:{port}: {error.strerror}") from error
            return port
    raise EmbeddedError(f"no free port on {host} from {preferred} to {min(preferred + _TRIES, 65536) - 1}")
