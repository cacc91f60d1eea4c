"""The WSGI application that gunicorn serves."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sumok8.settings")
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's, with what nginx tells (sumok8/nginx.conf): who called, and that it sends stored files itself.

    Only nginx can reach gunicorn's Unix socket; whoever comes by TCP has an address of his own and is not believed.
    """
    if not environ["REMOTE_ADDR"]:
        environ["REMOTE_ADDR"] = environ.pop("HTTP_X_PEER_ADDRESS", "")
        environ["sumok8.files_sent_by_proxy"] = True
    answer: Iterable[bytes] = _django(environ, start_response)
    return answer
