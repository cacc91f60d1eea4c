"""What gunicorn answers by itself: to requests that it cannot read, and where the application raised."""

import json
import socket
from http import HTTPStatus

from gunicorn import util


def write_error(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:
    """In the shape of every error, in place of gunicorn's page; `mesg` quotes the request, and the log has it."""
    if status_int < HTTPStatus.INTERNAL_SERVER_ERROR:
        code, message = "bad_request", "The request could not be understood."
    else:
        code, message = "internal", "Something went wrong on our side; tell the operator the time of this answer."
    body = json.dumps({"error": {"code": code, "message": message, "details": []}})
    head = (
        f"HTTP/1.1 {status_int} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    util.write_nonblock(sock, "\r\n".join([*head, "", body]).encode())
