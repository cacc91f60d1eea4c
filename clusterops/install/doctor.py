"""Is this installation well? The attention list, and what it does not see: database, storage, clocks."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import psycopg
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from clusterops.attention import look
from clusterops.gateway import KubeApi
from clusterops.install.cluster_check import Finding, Verdict, check_database
from clusterops.policy.attention import VOLUME_FULL, VOLUME_LEAST_FREE
from clusterops.policy.causes import Severity
from simulations import files
from simulations.volume import Volume, volumes
from tenants.clusters import Cluster

OLDEST_POSTGRES = 15
LONG_TRANSACTION_S = 300
SKEW_S = 5.0  # between this machine and database or cluster; tokens and leases bear more, figures do not
NAMED = 3

OK, MISSING, NOTE = Verdict.OK, Verdict.MISSING, Verdict.NOTE


def attention() -> Iterator[Finding]:
    """What needs somebody, the broken as failures."""
    found = look().findings
    for each in found:
        verdict = MISSING if each.severity is Severity.BAD else NOTE
        tenants = [share.tenant_id for share in each.tenants]
        names = ", ".join(tenants[:NAMED]) + (" …" if len(tenants) > NAMED else "")
        details = " ".join(each.details[:1])
        words = [f"{each.count} of {names}." if names else "", details, each.cause.todo]
        yield Finding(verdict, each.cause.title, " ".join(filter(None, words)))
    if not found:
        yield Finding(OK, "attention", "nothing needs you")


def database() -> Iterator[Finding]:
    """Without an answer the rest is not asked."""
    first = check_database()
    yield first
    if first.verdict is MISSING:
        return
    try:
        yield _version()
        yield _migrations()
        yield _long_transactions()
        yield _invalid_indexes()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            yield _skew("database's clock", cursor.fetchone()[0])
    except (DatabaseError, psycopg.Error) as error:
        yield Finding(MISSING, "database", str(error).strip())


def _version() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        number = int(cursor.fetchone()[0]) // 10_000
    fit = number >= OLDEST_POSTGRES
    more = "" if fit else f": {OLDEST_POSTGRES} or later is needed"
    return Finding(OK if fit else MISSING, "PostgreSQL's version", f"{number}{more}")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return Finding(OK, "migrations", "all are applied")
    return Finding(MISSING, "migrations", f"{len(plan)} to be applied: manage.py migrate")


def _long_transactions() -> Finding:
    """They keep dead rows from being cleaned away, so that the queue's indexes grow."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::int, coalesce(application_name, '')"
            " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"  # a long VACUUM of the server's own is well
            " AND xact_start < clock_timestamp() - make_interval(secs => %s) ORDER BY xact_start LIMIT %s",
            [LONG_TRANSACTION_S, NAMED],
        )
        found = cursor.fetchall()
    if not found:
        return Finding(OK, "long transactions", f"none over {LONG_TRANSACTION_S // 60} minutes")
    told = "; ".join(f"process {pid} {name} since {seconds // 60} min" for pid, seconds, name in found)
    return Finding(MISSING, "long transactions", f"{told}: end them with pg_terminate_backend, a backup aside")


def _invalid_indexes() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
            " WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace"
        )
        names = ", ".join(name for (name,) in cursor.fetchall())
    return Finding(
        MISSING if names else OK, "indexes", f"invalid, REINDEX INDEX CONCURRENTLY: {names}" if names else "all valid"
    )


def storage() -> Iterator[Finding]:
    """In each storage a file is written, read and deleted; and each that a cluster names is there."""
    for store in files.stores():
        yield from _storage(store)
    for cluster in Cluster.objects.exclude(storage="").exclude(storage__in=files.stores()):
        text = f"REGION_STORAGES names no “{cluster.storage}”: nothing is stored for cluster {cluster}"
        yield Finding(MISSING, f"storage of {cluster}", text)


def _storage(store: str) -> Iterator[Finding]:
    subject = "storage" if store == files.DEFAULT else f"storage {store}"
    name, content = f"doctor/{uuid.uuid4().hex}", uuid.uuid4().bytes
    where = store
    try:
        found: Any = storages[store]
        where = getattr(found, "bucket_name", "") or found.location
        kept = found.save(name, ContentFile(content))
        with found.open(kept) as file:
            same = file.read() == content
        found.delete(kept)
    except Exception as error:  # noqa: BLE001 - whatever the storage raises is what is to be told
        yield Finding(MISSING, subject, f"{where}: {type(error).__name__}: {error}")
        return
    yield Finding(OK if same else MISSING, subject, f"{where}: {'writes and reads' if same else 'reads other bytes'}")
    for room in volumes():
        if room.store == store:
            yield _room(room, f"room in {subject}")


def _room(room: Volume, subject: str) -> Finding:
    text = f"{room.free / 1024**3:.1f} GiB, {room.free_share:.0%} free"
    if room.free_share >= VOLUME_LEAST_FREE:
        return Finding(OK, subject, text)
    verdict = MISSING if room.free_share < VOLUME_FULL else NOTE
    return Finding(verdict, subject, f"{text}: enlarge the volume, or manage.py prune")


def cluster_clock(api: KubeApi) -> Finding:
    """The API server's, as its answers date themselves, to the second."""
    answer = api.open("GET", "/version")
    try:
        told = answer.headers.get("Date", "")
    finally:
        answer.close()
    try:
        return _skew("cluster's clock", parsedate_to_datetime(told).astimezone(UTC))
    except (TypeError, ValueError):
        return Finding(NOTE, "cluster's clock", "it does not say the time")


def _skew(subject: str, there: datetime) -> Finding:
    apart = abs((timezone.now() - there).total_seconds())
    if apart <= SKEW_S:
        return Finding(OK, subject, "agrees with this machine's")
    return Finding(MISSING, subject, f"{apart:.0f} s apart from this machine's: look at their time service")
