import io
import random
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from simulations.sumo.inputs import archive
from simulations.sumo.inputs.archive import ArchiveLimits
from simulations.sumo.protocol.problems import MORE, InvalidScenario
from tests.simulations.sumo.builders import member, raw_member, zip_of

LIMITS = ArchiveLimits(bytes=1024**2, files=100, unpacked_bytes=200 * 1024**2, ratio=100)
MiB = 1024**2


def codes(file, limits=LIMITS):
    return [problem.code for problem in archive.check(file, limits)]


def unpack_codes(file, target, limits=LIMITS):
    with pytest.raises(InvalidScenario) as raised:
        archive.unpack(file, target, limits)
    return [problem.code for problem in raised.value.problems]


def test_unpacks_what_is_in_it(tmp_path):
    file = zip_of({"top/run.sumocfg": "<a/>", "top/in put/näme.xml": b"x" * 200_000, "top/empty/": ""})
    assert codes(file) == []
    assert archive.unpack(file, tmp_path / "out", LIMITS) == ["top/in put/näme.xml", "top/run.sumocfg"]
    assert (tmp_path / "out/top/in put/näme.xml").read_bytes() == b"x" * 200_000


def test_names_in_utf_8_without_the_flag_for_it_are_read_as_such(tmp_path):
    flagged = zip_of({"net_Zü.xml": "1", "Zürich/a.xml": "2"}).getvalue()
    # Bit 11 of the flags, in the header before each file and in the directory.
    header, entry = b"PK\x03\x04\x14\x00", b"PK\x01\x02\x14\x03\x14\x00"
    file = flagged.replace(header + b"\0\x08", header + b"\0\0").replace(entry + b"\0\x08", entry + b"\0\0")
    assert file != flagged
    assert archive.unpack(io.BytesIO(file), tmp_path, LIMITS) == ["Zürich/a.xml", "net_Zü.xml"]


def test_names_in_the_old_code_page_stay_readable():
    assert codes(zip_of([(raw_member("a"), "1")])) == []
    data = zip_of({"mAnner.xml": "1"}).getvalue().replace(b"mAnner", b"m\x84nner")  # ä of DOS, no UTF-8
    with archive.open_archive(io.BytesIO(data), LIMITS) as opened:
        assert list(opened.files) == ["männer.xml"]


def test_empty_folders_are_made(tmp_path):
    with archive.open_archive(zip_of({"results/": "", "a/b/c.xml": "1"}), LIMITS) as opened:
        assert opened.folders == {"results", "a", "a/b"}
    assert archive.unpack(zip_of({"results/": "", "a.xml": "1"}), tmp_path, LIMITS) == ["a.xml"]
    assert (tmp_path / "results").is_dir()


def test_leaves_out_what_operating_systems_add(tmp_path):
    file = zip_of({"a.xml": "1", "__MACOSX/._a.xml": "2", ".DS_Store": "3", "sub/._b": "4", "sub/Thumbs.db": "5"})
    assert archive.unpack(file, tmp_path, LIMITS) == ["a.xml"]


def test_reads_windows_separators_as_folders(tmp_path):
    file = zip_of([(raw_member("sub\\a.xml"), "1")])
    assert archive.unpack(file, tmp_path, LIMITS) == ["sub/a.xml"]


@pytest.mark.parametrize(
    ("info", "code"),
    [
        (member("../a"), "zip.path_escape"),
        (member("a/../../b"), "zip.path_escape"),
        (member("/etc/passwd"), "zip.path_escape"),
        (raw_member("..\\a"), "zip.path_escape"),
        (raw_member("\\a"), "zip.path_escape"),
        (member("C:/a"), "zip.path_escape"),
        (member(".."), "zip.path_escape"),
        (member("link", stat.S_IFLNK | 0o777), "zip.symlink"),
        (member("dir/", stat.S_IFLNK | 0o777), "zip.symlink"),
        (member("pipe", stat.S_IFIFO | 0o644), "zip.special_file"),
        (member("device", stat.S_IFBLK | 0o644), "zip.special_file"),
        (member("new\nline"), "zip.bad_name"),
        (member("bell\x07"), "zip.bad_name"),
        (member("a" * 300), "zip.bad_name"),
        (member("d/" * 200 + "a"), "zip.bad_name"),
    ],
)
def test_refuses_members_that_are_not_plain_files_inside(info, code, tmp_path):
    file = zip_of([("fine.xml", "1"), (info, "/etc/passwd")])
    assert codes(file) == [code]
    assert unpack_codes(file, tmp_path / "out") == [code]
    assert not (tmp_path / "out").exists()


def test_lists_everything_wrong_at_once_but_not_endlessly():
    assert codes(zip_of({"../a": "", "/b": "", "c\x01": ""})) == ["zip.path_escape", "zip.path_escape", "zip.bad_name"]
    many = codes(zip_of({f"../{n}": "" for n in range(99)}))
    assert many.count("zip.path_escape") == archive.MAX_LISTED
    assert many[-1] == MORE


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names",
    [("a", "a"), ("a/b", "a//b"), ("a", "./a"), ("a", "a/b"), ("a/b", "a\\b")],
    ids=lambda names: " ".join(names),
)
def test_refuses_names_that_clash(names, tmp_path):
    file = zip_of([(raw_member(name), "1") for name in names])
    assert codes(file) == ["zip.duplicate_name"]
    assert unpack_codes(file, tmp_path) == ["zip.duplicate_name"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_refuses_methods_without_a_memory_bound(method):
    assert codes(zip_of({"a": "1" * 100}, compression=method)) == ["zip.compression"]


def test_refuses_encrypted_members():
    data = bytearray(zip_of({"a": "secret"}).getvalue())
    data[6] |= 1  # the flag in the local header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert codes(io.BytesIO(data)) == ["zip.encrypted"]


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + b"\xff" * 18, b"\x1f\x8b" + b"x" * 50]
)
def test_what_is_no_zip_is_unreadable(content):
    assert codes(io.BytesIO(content)) == ["zip.unreadable"]


def test_a_cut_or_damaged_archive_is_unreadable(tmp_path):
    data = zip_of({"a": random.Random(1).randbytes(5000)}).getvalue()
    assert codes(io.BytesIO(data[:-30])) == ["zip.unreadable"]
    damaged = bytearray(data)
    damaged[1000] ^= 0xFF
    assert unpack_codes(io.BytesIO(damaged), tmp_path) == ["zip.unreadable"]


def test_any_damage_is_a_problem_and_never_another_error(tmp_path):
    rng = random.Random(2)
    data = zip_of({"a/b.xml": "<a/>" * 50, "c": rng.randbytes(300)}).getvalue()
    refused = 0
    for attempt in range(400):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            archive.unpack(io.BytesIO(damaged), tmp_path / str(attempt), LIMITS)
        except InvalidScenario:
            refused += 1
    assert refused


def test_size_file_and_ratio_limits():
    assert codes(zip_of({"a": random.Random(1).randbytes(2 * MiB)})) == ["zip.too_big"]
    assert codes(zip_of({str(n): "" for n in range(101)})) == ["zip.too_many_files"]
    assert codes(zip_of({"a": b"\0" * (150 * MiB)})) == ["zip.ratio"]
    assert codes(zip_of({"a": b"\0" * (20 * MiB)})) == []


def test_a_huge_directory_is_not_read_into_memory():
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 4_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    limits = ArchiveLimits(bytes=1024 * MiB, files=100)
    assert codes(io.BytesIO(directory + end), limits) == ["zip.too_many_files"]


def lying(data: bytes, *, size: int) -> io.BytesIO:
    """The zip with another unpacked size in both headers of its first member."""
    changed = bytearray(data)
    changed[22:26] = struct.pack("<L", size)
    at = changed.index(b"PK\x01\x02") + 24
    changed[at : at + 4] = struct.pack("<L", size)
    return io.BytesIO(changed)


def test_headers_that_understate_the_size_do_not_help(tmp_path):
    bomb = lying(zip_of({"a": b"\0" * (100 * MiB)}).getvalue(), size=10)
    assert codes(bomb) == []
    assert unpack_codes(bomb, tmp_path) == ["zip.unreadable"]
    assert (tmp_path / "a").stat().st_size <= 10


def test_headers_that_overstate_the_size_are_taken_at_their_word():
    assert codes(lying(zip_of({"a": "1"}).getvalue(), size=3_000_000_000)) == ["zip.too_big"]


def overlapping(copies: int, kernel: bytes) -> io.BytesIO:
    """Many directory entries that share one packed file ("a better zip bomb", the simple kind)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(kernel) + packer.flush()
    crc = zlib.crc32(kernel)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(packed), len(kernel), 1, 0) + b"a"
    directory = b"".join(
        struct.pack(
            "<4s4B4HL2L5H2L",
            b"PK\x01\x02",
            20,
            3,
            20,
            0,
            0,
            8,
            0,
            0,
            crc,
            len(packed),
            len(kernel),
            1,
            0,
            0,
            0,
            0,
            0,
            0,
        )
        + bytes([97 + n])
        for n in range(copies)
    )
    start = len(local) + len(packed)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(directory), start, 0)
    return io.BytesIO(local + packed + directory + end)


def test_refuses_files_that_overlap(tmp_path):
    bomb = overlapping(20, b"\0" * MiB)
    assert codes(bomb) == ["zip.overlap"]
    assert unpack_codes(bomb, tmp_path) == ["zip.overlap"]


def quoted_overlap(copies: int, kernel: bytes) -> io.BytesIO:
    """Each file quotes the next one's header in a stored deflate block, so all share the last one's packed bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body, crc_of, size = packer.compress(kernel) + packer.flush(), kernel, len(kernel)
    entries = []
    for n in reversed(range(copies)):
        name = f"f{n:03}".encode()
        if entries:
            quoted = body
            header = quoted[: 30 + 4]
            body = b"\x00" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF) + quoted
            crc_of, size = header + crc_of, size + len(header)
        crc = zlib.crc32(crc_of)
        local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(body), size, len(name), 0) + name
        entries.append((name, crc, len(body), size, len(local)))
        body = local + body
    directory, offset = b"", 0
    for name, crc, packed, unpacked, local_size in reversed(entries):
        fields = (20, 3, 20, 0, 0, 8, 0, 0, crc, packed, unpacked, len(name), 0, 0, 0, 0, 0, offset)
        directory += struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", *fields) + name
        offset += local_size + 5
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(directory), len(body), 0)
    return io.BytesIO(body + directory + end)


def test_refuses_files_that_quote_each_other():
    bomb = quoted_overlap(30, b"\0" * MiB)
    with zipfile.ZipFile(bomb) as archive_file:
        assert len(archive_file.namelist()) == 30
    assert codes(bomb) == ["zip.overlap"]


def test_an_archive_inside_is_just_a_file(tmp_path):
    inner = zip_of({"bomb": b"\0" * MiB}).getvalue()
    assert archive.unpack(zip_of({"inner.zip": inner}), tmp_path, LIMITS) == ["inner.zip"]
    assert (tmp_path / "inner.zip").read_bytes() == inner


def test_never_writes_over_a_file_or_through_a_link(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    target = tmp_path / "out"
    target.mkdir()
    (target / "a").symlink_to(outside)
    with pytest.raises(FileExistsError):
        archive.unpack(zip_of({"a": "theirs"}), target, LIMITS)
    assert outside.read_text() == "mine"


def test_memory_stays_flat(tmp_path):
    big = tmp_path / "big.zip"
    with zipfile.ZipFile(big, "w", zipfile.ZIP_DEFLATED) as file, file.open("a", "w") as inside:
        for _ in range(200):
            inside.write(b"\0" * MiB)
    script = (
        "import sys, resource; from pathlib import Path; from simulations.sumo.inputs import archive\n"
        "most = 64 * 1024**2 + 1024 * int(open('/proc/self/statm').read().split()[0]) * 4\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "limits = archive.ArchiveLimits(ratio=2000)\n"
        "assert archive.check(sys.argv[1], limits) == []\n"
        "archive.unpack(sys.argv[1], Path(sys.argv[2]), limits)\n"
    )
    subprocess.run([sys.executable, "-c", script, big, tmp_path / "out"], check=True, timeout=60)
    assert (tmp_path / "out" / "a").stat().st_size == 200 * MiB


def test_a_file_that_was_given_stays_open():
    file = zip_of({"a": "1"})
    archive.check(file, LIMITS)
    assert not file.closed


def test_a_path_will_do(tmp_path):
    path = Path(tmp_path / "a.zip")
    path.write_bytes(zip_of({"a": "1"}).getvalue())
    assert codes(path) == []
    assert codes(str(path)) == []
