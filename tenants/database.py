"""Connections to PostgreSQL that give up on a server that has fallen silent, and that know a pooler when they meet one.

A stopped server keeps its sockets: its kernel acknowledges whatever is sent, so neither TCP's time-outs nor the
server's own end the wait. Only the waiting side can, and it waits in `Connection.wait`, in threads as in greenlets.
"""

import select
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg.waiting import READY_NONE

DIRECT = "direct"  # the alias of DATABASE_DIRECT_URL, where there is one
PROBE_S = 3.0
LOOK_EVERY_S = 0.1
FRESH_S = 1.0  # after an answer, a line that is still open need not be tried
OWN_SESSION: dict[str, Any] = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5}

Answer = TypeVar("Answer")
Wait = Generator[Any, Any, Answer]

_limit_s: ContextVar[float | None] = ContextVar("limit_s", default=None)
_asks_first: ContextVar[bool] = ContextVar("asks_first", default=False)


class NotDirect(ImproperlyConfigured):
    """A session of our own was wanted, and there is a pooler in between."""


class ServerSilent(psycopg.OperationalError):
    """The server said nothing for too long; the connection is closed."""


@contextmanager
def answering_within(seconds: float) -> Iterator[None]:
    """Another bound than DATABASE_TIMEOUT_S, and a firm one, for the statements of this block (and thread)."""
    limit, asks = _limit_s.set(seconds), _asks_first.set(False)
    try:
        yield
    finally:
        _limit_s.reset(limit)
        _asks_first.reset(asks)


@contextmanager
def slow_statements_allowed() -> Iterator[None]:
    """For commands, whose statements may take an hour: before giving up they ask the server, by a second connection,
    whether it answers at all."""
    token = _asks_first.set(True)
    try:
        yield
    finally:
        _asks_first.reset(token)


class Connection(psycopg.Connection[Any]):
    """Raises ServerSilent, an OperationalError, and closes itself when nothing comes for DATABASE_TIMEOUT_S.

    Prepares no statements on the server behind a pooler, which gives each transaction another server session.
    """

    _heard_at = float("-inf")

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> "Connection":
        own: Connection = super().connect(conninfo, **kwargs)
        if kwargs.get("prepare_threshold") is not None and not own.is_direct():
            own.prepare_threshold = None
        return own

    def is_direct(self) -> bool:
        """Whether the server at the other end is PostgreSQL itself: a pooler shows its clients another process id than
        the one that answers them."""
        fresh = self.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        row = self.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
        if fresh and not self.autocommit:
            self.rollback()
        return row is not None and row[0] == self.info.backend_pid

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        """The empty statement is how the pool tries a connection each time before it gives it away: a round trip for
        each request. One that answered a moment ago, and whose server has not hung up, is not asked."""
        if query == "" and self._is_fresh():
            return self.cursor()
        return super().execute(query, *args, **kwargs)

    def _is_fresh(self) -> bool:
        """Not behind a pooler, which holds the line while its server is gone."""
        if self.prepare_threshold is None or self.closed or monotonic() - self._heard_at > FRESH_S:
            return False
        line = select.poll()
        line.register(self.pgconn.socket, select.POLLIN)
        return not line.poll(0)

    def set_autocommit(self, value: bool) -> None:
        """Django sets it whenever it takes a connection from the pool; mostly it is so already."""
        if value != self.autocommit:
            super().set_autocommit(value)

    def wait(self, gen: Wait[Answer], interval: float = LOOK_EVERY_S, timeout: float | None = None) -> Answer:
        limit_s = _limit_s.get() or settings.DATABASE_TIMEOUT_S
        if timeout is not None or not limit_s:
            return super().wait(gen, interval, timeout)
        try:
            answer = super().wait(self._while_it_answers(gen, limit_s), interval)
        except ServerSilent:
            self.pgconn.finish()
            raise
        self._heard_at = monotonic()
        return answer

    def _while_it_answers(self, gen: Wait[Answer], limit_s: float) -> Wait[Answer]:
        """`gen`, until the socket has been silent for `limit_s`; what still arrives is no silence."""
        try:
            wanted = next(gen)
            heard = monotonic()
            while True:
                ready = yield wanted
                if ready != READY_NONE:
                    heard = monotonic()
                elif monotonic() - heard > limit_s:
                    if not (_asks_first.get() and self._server_answers()):
                        raise ServerSilent(f"the server has said nothing for {limit_s:g} s")
                    heard = monotonic()
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value

    def _server_answers(self) -> bool:
        try:
            with answering_within(PROBE_S):
                access: dict[str, Any] = {"password": self.info.password} if self.info.password else {}
                with Connection.connect(self.info.dsn, **access, connect_timeout=int(PROBE_S)) as other:
                    other.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


def direct_connection() -> Connection:
    """A session of our own, outside Django's pool and past any pooler: LISTEN and session locks need one that stays.

    Raises psycopg.OperationalError, NotDirect.
    """
    alias = DIRECT if DIRECT in connections.databases else DEFAULT_DB_ALIAS
    parameters: dict[str, Any] = connections[alias].get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    own = Connection.connect(**parameters, autocommit=True, **OWN_SESSION)
    if not own.is_direct():
        own.close()
        raise NotDirect(
            "DATABASE_DIRECT_URL leads through a connection pooler as well: it must name PostgreSQL itself."
            if alias == DIRECT
            else "DATABASE_URL leads through a connection pooler, and the reconciler's lock and LISTEN need PostgreSQL "
            "itself: set DATABASE_DIRECT_URL."
        )
    return own


def configuration_problem() -> str:
    """What is wrong with the way to the database, in a sentence, or "". Raises OperationalError where it does not
    answer."""
    question = "SELECT current_database(), pg_postmaster_start_time()"
    try:
        with direct_connection() as own:
            direct = own.execute(question).fetchone()
    except NotDirect as problem:
        return str(problem)
    if DIRECT in connections.databases:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(question)
            if cursor.fetchone() != direct:
                return "DATABASE_URL and DATABASE_DIRECT_URL lead to different databases; both must name the same."
    return ""


def give_connection_back() -> None:
    """For others, while a request waits for something else; the next statement takes one. Not in a transaction."""
    if not connection.in_atomic_block:
        connection.close()
