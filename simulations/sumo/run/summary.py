"""SUMO's step records as files, written while it runs: our summary.csv and, if the scenario asks for it, its own."""

import csv
import gzip
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from simulations.sumo.results.sumo_run import StepRecord

CSV_NAME = "summary.csv"
XML_HEAD = """<?xml version="1.0" encoding="UTF-8"?>

<summary xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://sumo.dlr.de/xsd/summary_file.xsd">
"""
XML_END = "</summary>\n"


class SummaryFiles:
    """Writes all records to `own`, if that is asked for, and to `folder`/summary.csv one every `period_s` simulated
    seconds and the last.

    A full disk must not stop the watching of a run: errors are passed over, the files are checked afterwards.
    """

    def __init__(self, folder: Path, *, period_s: float, own: Path | None) -> None:
        self._period_s = period_s
        self._due = float("-inf")
        self._skipped: StepRecord | None = None
        self._closing = ExitStack()
        self._csv = self._closing.enter_context((folder / CSV_NAME).open("w", encoding="ascii", newline=""))
        self._writer = csv.writer(self._csv, lineterminator="\n")
        self._writer.writerow(StepRecord._fields)
        self._own: IO[str] | None = None
        if own is not None:
            with suppress(OSError):
                own.parent.mkdir(parents=True, exist_ok=True)
                opener = gzip.open if own.suffix == ".gz" else open
                self._own = self._closing.enter_context(opener(own, "wt", encoding="utf-8"))
                self._own.write(XML_HEAD)

    def write(self, record: StepRecord, line: str) -> None:
        """`line` is the record as SUMO wrote it."""
        with suppress(OSError):
            self._skipped = record
            if self._own is None or record.time >= self._due:
                self._due = record.time + self._period_s
                self._writer.writerow(record)
                self._skipped = None
            if self._own is not None:
                self._own.write(f"{line}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            if self._skipped is not None:
                self._writer.writerow(self._skipped)
            if self._own is not None:
                self._own.write(XML_END)
        with suppress(OSError):
            self._closing.close()
