"""What gunicorn logs, in the product's form."""

import logging
import os
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

from sumok8.logs import formatter


class GunicornLog(Logger):
    """Gunicorn's own lines and its access log in the product's form: each request is named, whatever its address."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        handler = logging.StreamHandler()
        handler.setFormatter(formatter(as_json=os.environ.get("LOG_FORMAT") == "json"))
        for log in (self.error_log, self.access_log):
            log.handlers = [handler]
            log.propagate = False

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Neither query strings nor headers: they may hold what is nobody's."""
        if not self.access_log_enabled:
            return
        answer = {name.lower(): value for name, value in resp.headers}
        self.access_log.info(
            "%s %s",
            environ.get("REQUEST_METHOD"),
            printable(environ.get("PATH_INFO") or ""),
            extra={
                "status": int(str(resp.status).split(" ", 1)[0]),
                "bytes": getattr(resp, "sent", None),
                "ms": round(request_time.total_seconds() * 1000, 1),
                "client": environ.get("REMOTE_ADDR") or "-",
                "request_id": answer.get("x-request-id", "-"),
            },
        )


def printable(path: str) -> str:
    """An address as it may be sent, so that none breaks a line or speaks to a terminal. WSGI has bytes as Latin-1."""
    try:
        return quote(path, encoding="latin-1")
    except UnicodeEncodeError:  # somebody on the way has decoded it already
        return quote(path, encoding="utf-8", errors="replace")
