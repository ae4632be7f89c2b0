"""Witnesses elsewhere: a syslog collector and a mailbox. They keep number, digest and signature of each checkpoint, so
that a rewritten one can be told from the first; the documents themselves lie in the directory."""

import json
import smtplib
import socket
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import SplitResult, parse_qs, unquote

_PRIORITY = 13 * 8 + 5  # facility “log audit”, severity notice (RFC 5424)


def words_for(line: str) -> str:
    """One short line that a checkpoint can be compared with."""
    from audit.seal import read_line

    sealed = read_line(line)
    if sealed is None:
        raise OSError("not a checkpoint")
    document = sealed.document
    return (
        f"guardia-checkpoint number={sealed.number} digest={sealed.digest()} root={document['root']}"
        f" key={document['key_id']} signature={sealed.signature}"
    )


class SyslogStore:
    """`syslog+udp://host:514`, `syslog+tcp://host:601` (RFC 5424; octet counting, RFC 6587, on TCP)."""

    def __init__(self, url: SplitResult, seconds: float) -> None:
        self._address = (url.hostname or "", url.port or (601 if url.scheme.endswith("tcp") else 514))
        self._is_tcp, self._seconds = url.scheme.endswith("tcp"), seconds
        self.name = f"{url.scheme}://{self._address[0]}:{self._address[1]}"

    def put(self, number: int, line: str) -> None:
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        message = f"<{_PRIORITY}>1 {stamp} - guardia - checkpoint - {words_for(line)}".encode()
        if self._is_tcp:
            with socket.create_connection(self._address, self._seconds) as peer:
                peer.sendall(str(len(message)).encode() + b" " + message)
            return
        family = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0][0]
        with socket.socket(family, socket.SOCK_DGRAM) as peer:
            peer.settimeout(self._seconds)
            peer.connect(self._address)
            peer.send(message)

    def state(self) -> str:
        return "sent" if self._is_tcp else "sent without an answer"


class MailStore:
    """`smtp://user:password@host:25/?to=a@x&from=b@y`; `smtps` for TLS from the start, `starttls=1` to switch to it."""

    def __init__(self, url: SplitResult, seconds: float) -> None:
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        self._url, self._seconds = url, seconds
        self._to, self._from = query.get("to", ""), query.get("from", "guardia@localhost")
        self._starttls = query.get("starttls") == "1"
        self.name = f"{url.scheme}://{url.hostname}:{self._port} {self._to}"

    @property
    def _port(self) -> int:
        return self._url.port or (465 if self._url.scheme == "smtps" else 25)

    def put(self, number: int, line: str) -> None:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = f"Guardia checkpoint {number}", self._from, self._to
        mail.set_content(words_for(line) + "\n", cte="7bit")  # one line, as it is
        mail.add_attachment(json.dumps(json.loads(line)).encode(), "application", "json", filename=f"{number:012}.json")
        kind = smtplib.SMTP_SSL if self._url.scheme == "smtps" else smtplib.SMTP
        with kind(self._url.hostname or "", self._port, timeout=self._seconds) as server:
            if self._starttls:
                server.starttls()
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            server.send_message(mail)

    def state(self) -> str:
        return "accepted by the mail server"
