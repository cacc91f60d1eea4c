"""Files from the service: several at a time, going on after a cut, checked by their SHA-256."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

from urllib3.exceptions import HTTPError

from .digests import sha256_of
from .errors import ApiProblem
from .transport import Pauses, Transport

CHUNK = 256 * 1024
AT_ONCE = 4
Report = Callable[[int, int], None]  # bytes so far, bytes in all
Arrived = Callable[[int], None]  # bytes more, or fewer if a file begins anew


def all_of(transport: Transport, files: Sequence[dict[str, Any]], folder: Path, report: Report | None) -> list[Path]:
    """Each of `files` ({name, size_bytes, sha256, url}) below `folder`. Raises ApiProblem at the first that fails."""
    paths = [inside(folder, each["name"]) for each in files]
    total, arrived, lock = sum(each["size_bytes"] for each in files), 0, threading.Lock()

    def more(count: int) -> None:
        nonlocal arrived
        with lock:
            arrived += count
            if report:
                report(arrived, total)

    def one(number: int) -> Path:
        told = files[number]
        return to_file(
            transport, told["url"], paths[number], size=told["size_bytes"], sha256=told["sha256"], arrived=more
        )

    with ThreadPoolExecutor(AT_ONCE) as threads:
        waiting = [threads.submit(one, number) for number in range(len(files))]
        try:
            return [each.result() for each in waiting]
        except BaseException:
            for each in waiting:
                each.cancel()
            raise


def inside(folder: Path, name: str) -> Path:
    """Where the file of that name goes. Raises ApiProblem for a name that leads out of the folder."""
    parts = name.replace("\\", "/").split("/")
    if any(part in {"", ".", ".."} or ":" in part for part in parts):
        raise ApiProblem(f"The service named a file {name!r}, which would not lie in {folder}.")
    return folder.joinpath(*parts)


def to_file(
    transport: Transport,
    path: str,
    to: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    arrived: Arrived = lambda count: None,
) -> Path:
    """What is at `path` as the file `to`, which appears once it is whole. With `size` and `sha256` known, what arrived
    before is kept in a hidden file beside it, and the rest is asked for. Raises ApiProblem."""
    if sha256 and to.is_file() and to.stat().st_size == size and sha256_of(to) == sha256:
        arrived(size or 0)
        return to
    part = to.with_name(f".{to.name}.{(sha256 or 'new')[:16]}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        has = part.stat().st_size if sha256 and part.exists() else 0
        arrived(has)
        pauses = transport.pauses()
        while size is None or has < size or not part.exists():
            has, whole = _go_on(transport, path, part, has, size, arrived, pauses)
            if size is None and whole:
                break
        if sha256 and (has != size or sha256_of(part) != sha256):
            part.unlink()
            raise ApiProblem(f"{to.name} arrived with other content than the service says; it was thrown away.")
        os.replace(part, to)  # noqa: PTH105 - replaces on every system
    except OSError as error:
        raise ApiProblem(f"{to} cannot be written: {error}") from None
    return to


def _go_on(
    transport: Transport, path: str, part: Path, has: int, size: int | None, arrived: Arrived, pauses: Pauses
) -> tuple[int, bool]:
    """One connection's worth more: (bytes there by now, whether the answer came to its end)."""
    resumes = size is not None and has > 0
    cut = ApiProblem(f"{transport.base_url} broke off in {path}.")
    with transport.stream(path, {"Range": f"bytes={has}-"} if resumes else {}, pauses=pauses) as answer:
        if answer.status != 206:  # the whole, although a part was asked for
            arrived(-has)
            has = 0
        with part.open("ab" if has else "wb") as file:
            try:
                for chunk in answer.stream(CHUNK, decode_content=False):
                    if size is not None and has + len(chunk) > size:
                        raise ApiProblem(f"{path} is longer than the {size} bytes that the service named.")
                    file.write(chunk)
                    has += len(chunk)
                    arrived(len(chunk))
                    pauses.again()
                if size is None or has == size:
                    return has, True
            except HTTPError as error:
                cut = transport.unreachable(error)
    pauses.next(cut)
    return has, False
