"""An SMTP server of the test's own: mail is really sent to it, and it keeps what came."""

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

MAX_LINE = 64 * 1024


@dataclass
class Sink:
    """`refusal`: the answer to every message instead of taking it, such as `451 Later.`"""

    port: int = 0
    refusal: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)  # of each message, as the envelope says
    senders: list[str] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)  # name and password, as PLAIN joins them


@pytest.fixture
def smtp_sink(settings: Any) -> Iterator[Sink]:
    """Django sends its mail to it while the test lasts."""
    sink = Sink()
    server = _server(sink)
    sink.port = server.server_address[1]
    settings.EMAIL_URL = f"smtp://127.0.0.1:{sink.port}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # pytest-django has put in another
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield sink
    server.shutdown()
    thread.join()
    server.server_close()


def _server(sink: Sink) -> ThreadingTCPServer:
    class Handler(StreamRequestHandler):
        timeout = 10

        def handle(self) -> None:
            self.say("220 sink.example ESMTP")
            sender, to = "", list[str]()
            while line := self.rfile.readline(MAX_LINE):
                verb, _, rest = line.decode().strip().partition(" ")
                match verb.upper():
                    case "QUIT":
                        self.say("221 Bye.")
                        return
                    case "EHLO":
                        self.say("250-sink.example\r\n250 AUTH PLAIN")
                        continue
                    case "AUTH":
                        sink.signed_in.append(base64.b64decode(rest.partition(" ")[2]).decode())
                        self.say("235 Welcome.")
                        continue
                    case "MAIL":
                        sender = rest.partition("<")[2].partition(">")[0]
                    case "RCPT":
                        to.append(rest.partition("<")[2].partition(">")[0])
                    case "DATA":
                        self.say("354 Go on.")
                        self.take(sender, to)
                        to = []
                        continue
                self.say("250 Yes.")

        def take(self, sender: str, to: list[str]) -> None:
            lines = []
            while (line := self.rfile.readline(MAX_LINE)) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b"."))
            if not sink.refusal:
                sink.senders.append(sender)
                sink.recipients.append(to)
                sink.messages.append(message_from_bytes(b"".join(lines), policy=policy.default))
            self.say(sink.refusal or "250 Taken.")

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    return ThreadingTCPServer(("127.0.0.1", 0), Handler)
