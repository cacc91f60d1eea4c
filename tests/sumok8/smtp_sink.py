"""A mail server that takes everything and keeps it, spoken to over a socket as any other."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.letters: list[tuple[str, str, EmailMessage]] = []  # who sends, to whom, what
        self.signed_in: list[str] = []


class _Talk(socketserver.StreamRequestHandler):
    server: Sink

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self.say("220 sink")
        sender = to = ""
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    self.say("250-sink\r\n250 AUTH PLAIN")
                case "AUTH":
                    self.server.signed_in.append(base64.b64decode(rest.partition(" ")[2]).decode())
                    self.say("235 welcome")
                case "MAIL":
                    sender = rest
                    self.say("250 ok")
                case "RCPT":
                    to = rest
                    self.say("250 ok")
                case "DATA":
                    self.say("354 go on")
                    body = b"".join(iter(self.rfile.readline, b".\r\n"))
                    letter = message_from_bytes(body, policy=policy.default)
                    assert isinstance(letter, EmailMessage)
                    self.server.letters.append((sender, to, letter))
                    self.say("250 taken")
                case "QUIT":
                    self.say("221 bye")
                    break
                case _:
                    self.say("502 not here")


@contextmanager
def mail_server() -> Iterator[Sink]:
    with Sink() as sink:
        thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield sink
        finally:
            sink.shutdown()
            thread.join()
