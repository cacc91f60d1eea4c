"""Scenarios, and how a folder or zip gets to the service."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import quote

from .digests import sha256_of
from .errors import ApiProblem
from .packing import files_of, is_hidden, pack, packed_for
from .transport import Transport

if TYPE_CHECKING:
    from .api import Client

PIECE = 256 * 1024
Report = Callable[[int, int], None]


class Scenario:
    """One version of a scenario; `data` is the service's answer."""

    def __init__(self, client: Client, data: dict[str, Any]) -> None:
        self._client, self.data = client, data
        self.id: str = data["scenario_id"]
        self.version: int = data["version"]

    def __repr__(self) -> str:
        return f"<Scenario {self.id} version {self.version}>"

    def delete(self) -> None:
        """This version."""
        self._client.delete_scenario(self.id, self.version)


def laid_over(
    transport: Transport, base_id: str, source: Path | None, fields: dict[str, str], report: Report | None
) -> dict[str, Any]:
    """The service's answer to what differs from another scenario: a zip, a folder's every file, or only `fields`."""
    with tempfile.TemporaryDirectory(prefix="sumok8-") as scratch:
        try:
            if source is None or source.is_dir():
                names = [] if source is None else _files_of(source)
                source = pack(source or Path(), names, Path(scratch) / "changes.zip")
            size = source.stat().st_size
        except OSError as error:
            raise ApiProblem(f"{source} cannot be read: {error}") from None
        return _sent(transport, f"/scenarios/{quote(base_id)}/versions", fields, source, size, report)


def _files_of(folder: Path) -> list[str]:
    """But hidden ones, which are those of editors, systems and version control."""
    return [path for path in files_of(folder) if not is_hidden(path)]


def uploaded(
    transport: Transport,
    scenario_id: str,
    source: Path,
    *,
    config: str | None,
    report: Report | None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """The service's answer to a zip, or to a folder packed into one; not sent if its newest version has these bytes."""
    with tempfile.TemporaryDirectory(prefix="sumok8-") as scratch:
        try:
            if source.is_dir():
                packing = packed_for(source, config)
                config = packing.config
                source = pack(source, packing.files, Path(scratch) / f"{source.resolve().name or 'scenario'}.zip")
            size, sha256 = source.stat().st_size, sha256_of(source)
        except OSError as error:
            raise ApiProblem(f"{source} cannot be read: {error}") from None
        if not dry_run and (known := _known(transport, scenario_id, sha256, config)):
            return known
        fields = {"scenario_id": scenario_id}
        if config:
            fields["config"] = config
        return _sent(transport, "/scenarios?dry_run=1" if dry_run else "/scenarios", fields, source, size, report)


def _sent(
    transport: Transport, path: str, fields: dict[str, str], source: Path, size: int, report: Report | None
) -> dict[str, Any]:
    form = _Form(fields, source.name)
    headers = {"Content-Type": form.content_type, "Content-Length": str(form.length(size))}
    return dict(transport.sent("POST", path, lambda: form.pieces(source, size, report), headers))


def _known(transport: Transport, scenario_id: str, sha256: str, config: str | None) -> dict[str, Any] | None:
    """The newest version of ours, if it has these bytes already."""
    try:
        told: dict[str, Any] = transport.json("GET", f"/scenarios/{quote(scenario_id)}")
    except ApiProblem as problem:
        if problem.status == 404:
            return None
        raise
    is_same = told["sha256"] == sha256 and config in {None, told["config"]} and not told["shared"]
    return told if is_same else None


class _Form:
    """multipart/form-data with one file, which is read as it is sent."""

    def __init__(self, fields: dict[str, str], file_name: str) -> None:
        boundary = uuid.uuid4().hex
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="'
        text = "".join(f'{part}{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
        safe = "".join(sign if sign.isalnum() or sign in "._- " else "_" for sign in file_name)
        text += f'{part}file"; filename="{safe}"\r\nContent-Type: application/zip\r\n\r\n'
        self._head, self._tail = text.encode(), f"\r\n--{boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={boundary}"

    def length(self, size: int) -> int:
        return len(self._head) + size + len(self._tail)

    def pieces(self, source: Path, size: int, report: Report | None) -> Iterator[bytes]:
        """All of it, a piece at a time; `report` is told what of the file was sent."""
        yield self._head
        sent = 0
        with source.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
                sent += len(piece)
                if report:
                    report(sent, size)
        yield self._tail
