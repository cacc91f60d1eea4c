"""A scenario's archive from another one and what is laid over it: packed bytes are copied as they are."""

import zipfile
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from ..protocol.problems import InvalidScenario, Problem, ProblemList, shown
from .archive import Archive, ArchiveLimits, open_archive

MAX_LISTED = 20
COMPARED_BYTES = 64 * 1024**2  # unpacked; beyond it a file that is given counts as changed
PLAIN_TIME = (1980, 1, 1, 0, 0, 0)


def lay_over(
    base: BinaryIO, changes: BinaryIO | None, removed: Sequence[str], target: BinaryIO, limits: ArchiveLimits
) -> bool:
    """Write `base` without the paths `removed` and with the files of the zip `changes` to `target`; whether it differs.

    The result is in no way trusted more than what was given: it is to be checked as any upload. The same files, from
    the same packed bytes, make the same archive. Raises InvalidScenario.
    """
    with open_archive(base, limits) as old:
        if changes is None:
            return _write(old, None, removed, target, limits)
        with open_archive(changes, limits) as new:
            return _write(old, new, removed, target, limits)


def _write(old: Archive, new: Archive | None, removed: Sequence[str], target: BinaryIO, limits: ArchiveLimits) -> bool:
    problems = ProblemList(MAX_LISTED)
    problems.extend(new.problems if new else [])
    for path in removed:
        if path not in old.files:
            problems.add(Problem("overlay.not_there", f"The base has no file '{shown(path)}' to remove.", shown(path)))
    if new is not None and not (new.members or new.problems or removed):
        problems.add(Problem("overlay.empty", "The zip holds no file: give files that change, or paths that go."))
    kept = old.files.keys() - set(removed)
    problems.extend(_almost_alike(kept, new.files if new else ()))
    if found := problems.all():
        raise InvalidScenario(found)
    sources = dict.fromkeys(kept, old)
    if new:
        sources |= dict.fromkeys(_changed(old, new, kept), new)
    if sum(source.members[path].compress_size for path, source in sources.items()) > limits.bytes:
        message = f"Together they are more than {limits.bytes} bytes."
        raise InvalidScenario([Problem("zip.too_big", message)])
    with zipfile.ZipFile(target, "w") as packed:
        for path in sorted(sources):
            _copy(sources[path], path, packed)
    return bool(removed) or any(source is new for source in sources.values())


def _almost_alike(kept: Collection[str], given: Collection[str]) -> Iterator[Problem]:
    """A file that was meant to take another's place would lie beside it, and change nothing."""
    spelt = {path.casefold(): path for path in kept}
    for path in sorted(given):
        there = spelt.get(path.casefold())
        if there is not None and path not in kept:
            message = f"'{shown(path)}' differs from the base's '{shown(there)}' in upper and lower case only."
            hint = "Spell it as the base does, or remove the base's."
            yield Problem("overlay.case", message, shown(path), hint)


def _changed(old: Archive, new: Archive, kept: set[str]) -> list[str]:
    """What of `new` is not in the base already, byte for byte."""
    changed, left = [], COMPARED_BYTES
    for path, member in new.members.items():
        same = path in kept and (member.file_size, member.CRC) == (old.files[path], old.members[path].CRC)
        if same and member.file_size <= left:
            left -= member.file_size
            same = all(a == b for a, b in zip(old.chunks(path), new.chunks(path)))  # of the same size
        else:
            same = False
        if not same:
            changed.append(path)
    return changed


def _copy(source: Archive, path: str, packed: zipfile.ZipFile) -> None:
    """The member's packed bytes behind a header of our own: zipfile alone would unpack and pack it again, which takes
    a large network half a minute."""
    assert packed.fp is not None
    member = source.members[path]
    plain = zipfile.ZipInfo(path, PLAIN_TIME)
    plain.compress_type, plain.create_system, plain.external_attr = member.compress_type, 3, 0o644 << 16
    plain.CRC, plain.compress_size, plain.file_size = member.CRC, member.compress_size, member.file_size
    plain.header_offset = packed.fp.tell()
    packed.fp.write(plain.FileHeader())
    for chunk in source.packed_chunks(path):
        packed.fp.write(chunk)
    packed.filelist.append(plain)
    packed.NameToInfo[path] = plain
    packed.start_dir = packed.fp.tell()
