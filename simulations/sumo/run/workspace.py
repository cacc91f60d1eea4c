"""The folders below WORK_DIR."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """`scenario` is the unpacked archive, `out` takes what we ask SUMO for, `artifacts` what is ready for upload."""

    root: Path

    def prepare(self) -> None:
        """Make the folders, empty. Raises OSError."""
        for folder in (self.scenario, self.scratch, self.out, self.artifacts):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.scenario, self.out, self.artifacts):
            folder.mkdir(parents=True)

    def empty_out(self) -> None:
        """Forget what SUMO began to write."""
        shutil.rmtree(self.out)
        self.out.mkdir()

    @property
    def archive(self) -> Path:
        return self.root / "scenario.zip"

    @property
    def scenario(self) -> Path:
        return self.root / "scenario"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def log(self) -> Path:
        return self.artifacts / "sumo.log"
