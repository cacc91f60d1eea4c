"""Archives and forms of every hostile kind, uploaded to the API as it is deployed."""

import io
import random
import struct
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import quoteattr

import pytest

from simulations.sumo.inputs.option_table import names
from tests.chaos.served import BODIES, SEED, Report, Served
from tests.simulations.scenarios import NET, ROUTES, archive
from tests.simulations.sumo.builders import zip_of

pytestmark = pytest.mark.django_db  # makes pytest-django create the database that the server uses

BOUNDARY = "frontier"


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def entity_bomb() -> bytes:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    return f'<!DOCTYPE a [<!ENTITY e0 "ha">{levels}]><configuration><input>&e8;</input></configuration>'.encode()


def lying_sizes() -> bytes:
    """The directory says that every member is tiny."""
    data = bytearray(zipped(("run.sumocfg", b"<a/>"), ("net.net.xml", b"0" * 50_000_000)))
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 10)
    return bytes(data)


def damaged(rng: random.Random) -> bytes:
    data = bytearray(archive())
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[: rng.randint(len(data) // 2, len(data))] if rng.random() < 0.3 else data)


ARCHIVES: list[Callable[[], bytes]] = [
    lambda: b"",
    lambda: b"PK\x05\x06" + b"\0" * 18,
    lambda: b"not a zip" * 1000,
    lambda: zipped(("run.sumocfg", b"\0" * 300_000_000)),
    lambda: zipped(*((f"{n}.xml", b"") for n in range(20_000))),
    lambda: zipped(("../../run.sumocfg", b"<configuration/>"), ("/etc/passwd", b"x")),
    lambda: zipped(("run.sumocfg", entity_bomb())),
    lambda: zipped(("run.sumocfg", b"<a>" * 200_000)),
    lambda: zipped(("run.sumocfg", b"<configuration a='" + b"x" * 5_000_000 + b"'/>")),
    lambda: zipped(("run.sumocfg", b"\xff\xfe\x00" * 1000), ("a" * 60_000, b"")),
    lambda: zipped(("inner.zip", zipped(("inner.zip", zipped(("run.sumocfg", b"\0" * 10_000_000)))))),
    lying_sizes,
]


POISON = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1e999",
        "NaN",
        "9" * 400,
        "${HOME}",
        "localhost:80",
        "::1:80",
        "/etc/passwd",
        "../../x",
        "a,b",
    ),
    *("C:\\x", ".", "..", "/", "~", "file:///etc/passwd", "x" * 5000, "true", "&#38;#0;", "\u202egpj.ten", "\ufeff"),
    *("run.sumocfg", "net.net.xml", "NET.NET.XML", " net.net.xml ", "net.net.xml,net.net.xml", "%s%n", "[[", "stdout"),
]


def poisoned_config(rng: random.Random) -> bytes:
    """A sound scenario whose configuration has a few options more, of any kind, with values nobody means."""
    lines = []
    for _ in range(rng.randint(1, 6)):
        name, attribute = rng.choice([*names(), "unknown", "x" * 300]), rng.choice(("value", "v", "values", ""))
        value = quoteattr(rng.choice(POISON))
        lines.append(f"<{name} {attribute}={value}/>" if attribute else f"<{name}>{value}</{name}>")
    if rng.random() < 0.3:
        lines = [f"<input>{line}</input>" for line in lines]
    end = rng.choice(("</configuration>", "", "</input>", "<!-- ", "<include href='/etc/passwd'/></configuration>"))
    head = rng.choice(('<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-16"?>', "", "\ufeff"))
    text = f"{head}<configuration><net-file value='net.net.xml'/>{''.join(lines)}{end}"
    return zip_of({"run.sumocfg": text, "net.net.xml": NET, "demand.rou.xml": ROUTES}).getvalue()


def form(content: bytes, name: str = "town") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="scenario_id"\r\n\r\n{name}\r\n'
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="s.zip"\r\n\r\n'
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


FORMS = [
    *(b"", f"--{BOUNDARY}".encode(), f"--{BOUNDARY}\r\n\r\n".encode(), form(b"x")[:-30], form(b"x", name="\0")),
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.encode() * 5000,
    f"--{BOUNDARY}\r\n".encode() + b"X: y\r\n" * 5000 + b"\r\n",
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="\0"\r\n\r\nx\r\n--{BOUNDARY}--'.encode(),
]


def test_archives(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    rng, report = random.Random(SEED), Report(served)
    bodies = [*FORMS, *(form(make()) for make in ARCHIVES), *(form(damaged(rng)) for _ in range(BODIES // 3))]
    bodies += [form(poisoned_config(rng)) for _ in range(BODIES)]
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    for body in bodies:
        report.take(served.request("POST", "/scenarios", body, Authorization=served.key, Content_Type=kind), body[:300])
    report.tell("archives", capsys)
