"""Storing the artifacts: each on its own, so that one refused file does not cost the others."""

from collections.abc import Callable
from pathlib import Path

from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.results import outputs
from simulations.sumo.run.report import Report
from simulations.sumo.run.transport import ControlPlane, RefusedByService, Unreachable

JOB_OVER = "upload.job_over"


class ResultUpload:
    """Uploads the report's files, the manifest last: where it is, all that could be stored of a run is.

    `deadline` is asked before every try, since a stop signal moves it (`time.monotonic()`).
    """

    def __init__(self, control_plane: ControlPlane, report: Report, *, deadline: Callable[[], float]) -> None:
        self._control_plane = control_plane
        self._report = report
        self._deadline = deadline
        self._failures: list[Problem] = []

    def deliver(self, description: JobDescription, folder: Path) -> None:
        """What cannot be stored turns a success into IO_FAILED (or INTERRUPTED if the job is over)."""
        for file in sorted(self._report.files, key=lambda file: file.bytes):
            self._store(file.path, file.name, file.sha256)
        manifest = folder / "manifest.json"
        manifest.write_bytes(self._report.manifest(description))
        self._store(manifest, manifest.name, outputs.described(manifest, manifest.name).sha256)
        self._report.uploaded = not self._failures

    def _store(self, path: Path, name: str, sha256: str) -> None:
        if any(failure.code == JOB_OVER for failure in self._failures):
            return
        try:
            self._control_plane.upload(path, name, sha256=sha256, deadline=self._deadline)
        except RefusedByService as error:
            code = JOB_OVER if error.job_is_over else "upload.refused"
            self._failed(Problem(code, f"The file was not accepted: {error}", name))
        except (Unreachable, OSError) as error:
            self._failed(Problem("upload.failed", f"The file could not be stored: {error}", name))

    def _failed(self, problem: Problem) -> None:
        self._failures.append(problem)
        outcome = Outcome.INTERRUPTED if problem.code == JOB_OVER else Outcome.IO_FAILED
        self._report.end(outcome, [problem])
