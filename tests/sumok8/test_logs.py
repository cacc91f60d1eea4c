"""Every line of every process has the form that LOG_FORMAT asks for."""

import http.client
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sumok8.gunicorn_log import printable

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "path, printed",
    [
        ("/jobs", "/jobs"),
        ("/a\nb", "/a%0Ab"),
        ("/\xe2\x82\xac", "/%E2%82%AC"),
        ("/\u20ac", "/%E2%82%AC"),
        ("/\ud800", "/%3F"),
        ("/\x1b[31m", "/%1B%5B31m"),
    ],
)
def test_addresses_are_printed_as_they_may_be_sent(path: str, printed: str) -> None:
    assert printable(path) == printed


def lines_of(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


APPLICATION = """
import django

django.setup()

def application(environ, start_response):
    if environ["PATH_INFO"] == "/fails":
        raise RuntimeError("on purpose")
    start_response("200 OK", [("X-Request-ID", "r1")])
    return [b"ok"]
"""


@pytest.mark.slow
def test_gunicorn_speaks_json_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    command = [sys.executable, "-m", "gunicorn", "-c", "python:sumok8.gunicorn_conf", "--pythonpath", str(tmp_path)]
    environment = {**os.environ, "LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "WEB_WORKERS": "1", "BIND": "127.0.0.1:0"}
    environment["DJANGO_SETTINGS_MODULE"] = "sumok8.settings"
    with subprocess.Popen([*command, "app"], cwd=ROOT, env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr
        said: list[bytes] = []
        port = 0
        for line in process.stderr:
            said.append(line)
            if b"Listening at" in line:
                port = int(json.loads(line)["event"].rsplit(":", 1)[1].split()[0].rstrip("/"))
            if b"Booting worker" in line:
                break
        for path in ("/%E2%82%AC", "/fails"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            with suppress(ConnectionError):  # of the one that fails
                connection.getresponse().read()
            connection.close()
        process.send_signal(signal.SIGTERM)
        said += process.stderr.readlines()
    lines = lines_of(b"".join(said).decode())
    access = [line for line in lines if line["logger"] == "gunicorn.access"]
    [asked] = [line for line in access if line["event"] == "GET /%E2%82%AC"]  # others may knock at a port used before
    assert (asked["status"], asked["request_id"], asked["client"]) == (200, "r1", "127.0.0.1")
    assert any("on purpose" in str(line.get("exception")) for line in lines)


def test_an_error_that_nobody_catches_is_one_line_of_json() -> None:
    program = "import os, django; django.setup(); raise RuntimeError('on\\npurpose')"
    environment = {**os.environ, "LOG_FORMAT": "json", "DJANGO_SETTINGS_MODULE": "sumok8.settings"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    (line,) = lines_of(done.stderr)
    assert (line["event"], line["level"]) == ("on\npurpose", "critical")
    assert "RuntimeError" in str(line["exception"])
