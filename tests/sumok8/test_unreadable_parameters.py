"""Parameters of headers and of forms' parts that Python cannot read: refused or passed over, never a 500."""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from sumok8.wsgi import Utf8Request, application
from tests.factories import TenantFactory, issue_key

pytestmark = pytest.mark.django_db

UNREADABLE = ["x*=utf-9''a", "x*=undefined''%ff", "x*0=a; x*=b", f"x*{'9' * 5000}=a", "x*1*=utf-8''a; x*0=utf-9''"]


def environ_of(method: str, address: str, body: bytes = b"", **more: str) -> dict[str, Any]:
    path, _, query = address.partition("?")
    return {
        **{"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_PROTOCOL": "HTTP/1.1"},
        **{"HTTP_HOST": "localhost", "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"},
        **{"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))},
        **more,
    }


def status_of(environ: dict[str, Any]) -> int:
    statuses: list[str] = []
    b"".join(application(environ, lambda status, headers: statuses.append(status)))
    return int(statuses[0].split()[0])


@pytest.mark.parametrize("parameter", UNREADABLE)
def test_of_the_headers_that_have_parameters(parameter: str) -> None:
    for address, kind, status in (
        ("/jobs", "application/json", 401),
        ("/sign-in", "multipart/form-data", 400),
        ("/nowhere", "text/html", 404),
    ):
        more = {"CONTENT_TYPE": f"{kind}; {parameter}", "HTTP_ACCEPT": f"application/json; {parameter}, */*;q=0.1"}
        assert status_of(environ_of("POST", address, b"{}", **more)) == status


@pytest.mark.parametrize("parameter", UNREADABLE)
def test_of_the_parts_of_a_form(parameter: str) -> None:
    body = f'--X\r\nContent-Disposition: form-data; name="file"; {parameter}\r\n\r\na\r\n--X--\r\n'.encode()
    kind = "multipart/form-data; boundary=X"
    headers = {"Authorization": f"Bearer {issue_key(TenantFactory())}"}
    assert Client().generic("POST", "/scenarios", body, kind, headers=headers).status_code == 400
    assert status_of(environ_of("POST", "/sign-in", body, CONTENT_TYPE=kind)) in {400, 403}


def test_what_logs_show_of_a_request_is_not_its_query() -> None:
    request = Utf8Request(environ_of("GET", "/shared?key=secret"))
    assert repr(request) == "<Utf8Request: GET '/shared'>"
