"""How long a body may be is decided before anything reads it."""

import uuid
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from simulations import tokens
from simulations.api.runner import MAX_PROGRESS_BYTES
from sumok8.wsgi import application
from tests.factories import issue_key

pytestmark = pytest.mark.django_db
JSON = "application/json"


def test_no_form_but_that_of_scenarios_brings_files(tmp_path: Path, settings: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    small = SimpleUploadedFile("x.bin", b"x" * 1000)
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x", "file": small})
    assert answer.status_code == 403
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "method, address, content_type, most, code",
    [
        ("POST", "/admin/login/", "multipart/form-data; boundary=x", 1024**2, "too_large"),
        ("POST", "/admin/login/", "application/x-www-form-urlencoded", 1024**2, "too_large"),
        ("POST", "/jobs", JSON, 1024**2, "too_large"),
        ("POST", "/scenarios", JSON, 1024**2, "too_large"),
        ("POST", "/scenarios", "multipart/form-data; boundary=x", 512 * 1024**2 + 64 * 1024, "zip.too_big"),
        ("POST", "/scenarios/a/versions", "multipart/form-data; boundary=x", 512 * 1024**2 + 64 * 1024, "zip.too_big"),
        ("POST", f"/runner/jobs/{uuid.UUID(int=1)}/progress", JSON, MAX_PROGRESS_BYTES, "too_large"),
    ],
)
def test_an_announced_length_is_enough_to_refuse(
    method: str, address: str, content_type: str, most: int, code: str
) -> None:
    key = {"Authorization": f"Bearer {issue_key(None)}", "Accept": JSON}
    answer = Client().generic(
        method, address, b"x", content_type=content_type, CONTENT_LENGTH=str(most + 1), headers=key
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, code)


def chunked(method: str, address: str, body: bytes, key: str, content_type: str = JSON) -> Any:
    """As gunicorn hands on a body without a length."""
    extra: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    extra["wsgi.input"] = BytesIO(body)
    headers = {"Authorization": f"Bearer {key}", "Accept": JSON}
    return Client().generic(method, address, body, content_type=content_type, headers=headers, **extra)


def test_a_body_without_a_length_is_read_within_the_bound(tenant: Any) -> None:
    key = issue_key(tenant)
    assert chunked("POST", "/jobs", b'{"scenario_id": "town"}', key).json()["error"]["code"] == "scenario.not_found"
    answer = chunked("POST", "/jobs", b" " * (1024**2 + 1), key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_results_need_a_length(tenant: Any) -> None:
    job = uuid.uuid4()
    answer = chunked("PUT", f"/runner/jobs/{job}/artifacts/a.xml", b"x", tokens.issue(job, 1, 60), "text/plain")
    assert (answer.status_code, answer.json()["error"]["code"]) == (411, "length_required")


@pytest.mark.parametrize("charset", ["hex", "undefined", "idna", "rot13"])
def test_a_charset_that_is_none_is_not_asked(charset: str) -> None:
    environ = {
        **{"REQUEST_METHOD": "POST", "PATH_INFO": "/jobs", "QUERY_STRING": "a=%C3%A4", "wsgi.input": BytesIO(b"{}")},
        **{
            "CONTENT_TYPE": f"application/json; charset={charset}",
            "CONTENT_LENGTH": "2",
            "SERVER_PROTOCOL": "HTTP/1.1",
        },
        **{"HTTP_HOST": "localhost", "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"},
    }
    statuses: list[str] = []
    b"".join(application(environ, lambda status, headers: statuses.append(status)))
    assert statuses == ["401 Unauthorized"]
