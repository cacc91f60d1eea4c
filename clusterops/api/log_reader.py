"""A job's log line by line, each with its place in it, so that who was cut off can go on where they were."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import total_ordering

from clusterops import errors
from clusterops.gateway import Gateway, gateway_of
from simulations.models import Job, JobLog
from simulations.telling import tell
from tenants.clusters import Cluster

KEPT_LINES = 5000  # read at once, and kept for followers
ANY = 10**6  # beyond the lines that one moment has
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
POSITION = re.compile(rf"({STAMP.pattern})(?:~(\d{{1,6}}))?")


@total_ordering
@dataclass(frozen=True)
class Position:
    """A line of a log: the cluster's time of it, and which it is of those with the same time, from 1."""

    at: str  # UTC with nine decimals, so that texts compare as times do
    nth: int

    def __str__(self) -> str:
        return f"{self.at}Z~{self.nth}"

    def __lt__(self, other: "Position") -> bool:
        return (self.at, self.nth) < (other.at, other.nth)

    @property
    def time(self) -> datetime:
        """To the second, which is how finely the cluster can be asked."""
        return datetime.fromisoformat(self.at[:19]).replace(tzinfo=UTC)

    @classmethod
    def parse(cls, text: str) -> "Position":
        """What `str` gave, or any moment in RFC 3339: then the last line that it may have. Raises ValueError."""
        found = POSITION.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return cls(comparable(found[1]), int(found[5] or ANY))


def comparable(stamp: str) -> str:
    """RFC 3339 with as many digits as needed → UTC with nine. Raises ValueError."""
    found = STAMP.fullmatch(stamp)
    if found is None:
        raise ValueError(stamp)
    seconds, fraction, zone = found.groups()
    if zone != "Z":  # a node's own time
        seconds = datetime.fromisoformat(seconds + zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{seconds}.{fraction or '':0<9}"


class Kind(Enum):
    """What a line of a followed log is."""

    LINE = "line"  # the job's own
    NOTE = "note"  # of this service, about the job
    LIFE = "life"  # nothing new, but the connection stands
    CUT = "cut"  # no more of it by this connection
    END = "end"  # no more of it at all


@dataclass(frozen=True)
class LogLine:
    """With its line break. Stored lines have no position."""

    text: str
    position: Position | None = None
    kind: Kind = Kind.LINE


def note(text: str, kind: Kind = Kind.NOTE) -> LogLine:
    """A line of this service's own."""
    return LogLine(f"# {text}\n", kind=kind)


def stamped(text: str, after: Position | None = None) -> Iterator[LogLine]:
    """The lines of a log read with time stamps, those after that position."""
    at, nth = "", 0
    for line in text.splitlines(keepends=True):
        stamp, _, rest = line.partition(" ")
        try:
            stamp = comparable(stamp)
        except ValueError:  # the rest of a line whose beginning was beyond what is read at once
            continue
        at, nth = stamp, nth + 1 if stamp == at else 1
        position = Position(at, nth)
        if after is None or position > after:
            yield LogLine(rest if rest.endswith("\n") else f"{rest}\n", position)


class Reader:
    """New lines of one job's log at each `read`, across replaced pods, with a note when something changes."""

    def __init__(self, job_id: uuid.UUID, gateway: Callable[[Cluster], Gateway] = gateway_of) -> None:
        self.ended = False
        self._job_id = job_id
        self._gateway = gateway
        self._said = ""
        self._pod = ""
        self._last: Position | None = None  # of the pod's lines given
        self._any = False

    def read(self) -> list[LogLine]:
        """The last call of an ended job sets `ended`."""
        job = Job.objects.filter(pk=self._job_id).defer("results", "labels").first()
        if job is None:
            self.ended = True
            return [note("The job was deleted.", Kind.END)]
        lines = []
        if job.pod_name and job.pod_name != self._pod:
            if self._pod:
                lines.append(note(f"It starts again in another pod, {job.pod_name}."))
            self._pod, self._last = job.pod_name, None
        if self._pod and not (job.is_finished and job.released_at):
            lines += self._live(job)
        if job.is_finished:
            if not self._any and (stored := JobLog.objects.filter(job=job).first()):
                lines += [LogLine(line) for line in stored.text.splitlines(keepends=True)]
            lines.append(note(f"The job has ended: {job.status}. {job.message}", Kind.END))
            self.ended = True
        elif not self._any:
            lines += self._say(tell(job).message)
        return lines

    def _live(self, job: Job) -> list[LogLine]:
        try:
            text = self._gateway(job.cluster).read_log(
                job.k8s_namespace,
                self._pod,
                tail=KEPT_LINES,
                since=self._last.time if self._last else None,
                timestamps=True,
                timeout_s=5,
            )
        except errors.Refused:  # not started, or gone
            return []
        except errors.GatewayError:
            return self._say("The cluster does not answer; the log goes on when it does.")
        found = list(stamped(text, self._last))
        if found:
            self._last, self._any = max(line.position for line in found if line.position), True
        return found

    def _say(self, text: str) -> list[LogLine]:
        if text == self._said:
            return []
        self._said = text
        return [note(text)]
