"""`manage.py notify`: tell tenants' receivers what has happened."""

import logging
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections

from simulations.webhooks import mail
from simulations.webhooks.sender import Sender
from tenants.accounts import letters
from tenants.management.base import OperatorCommand

log = logging.getLogger("simulations.webhooks")
AGAIN_AFTER_S = 5.0


class Command(OperatorCommand):
    help = "Send webhooks and mail until told to end; any number of copies may run. Needs the database and a way out."
    example = "manage.py notify --once"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due now, then exit")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        stop = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        if once:
            sender = Sender()
            while sender.step() or sender.is_busy:
                pass
            sender.finish()
            mail.step()
            letters.send_due()
            return
        threading.Thread(target=mail.run, args=(stop,), name="mail", daemon=True).start()
        while not stop.is_set():
            try:
                close_old_connections()
                Sender().run(stop, beat)
            except (DatabaseError, psycopg.Error) as error:
                log.warning("the database does not answer: %s", error)
                beat()
                stop.wait(AGAIN_AFTER_S)


def beat() -> None:
    """Tell the probes that the loop goes round."""
    if settings.HEARTBEAT_FILE:
        Path(settings.HEARTBEAT_FILE).touch()
