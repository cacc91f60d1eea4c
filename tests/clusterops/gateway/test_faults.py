"""A broken way to the cluster is an error of its own, never an empty answer."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterops.errors import ClusterUnreachable, NotConfigured
from clusterops.gateway import Gateway, KubeApi

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: x
clusters: [{{name: x, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: x, user: {{token: t}}}}]
contexts: [{{name: x, context: {{cluster: x, user: x}}}}]
"""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWERS = {
    "cut off in the middle": HEAD + b'Content-Length: 500\r\n\r\n{"items": [',
    "not JSON": HEAD + b"Content-Length: 6\r\n\r\n<html>",
    "JSON, but no list": HEAD + b'Content-Length: 17\r\n\r\n{"kind":"Status"}',
    "an empty page": HEAD + b"Content-Length: 0\r\n\r\n",
    "a server error": b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
    "too many requests": b"HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
    "hung up": b"",
}


@pytest.fixture
def answering(tmp_path: Path) -> Iterator:
    """A server that answers every request with the same bytes and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)

    def start(answer: bytes) -> Gateway:
        def serve() -> None:
            try:
                while True:
                    taken, _ = listener.accept()
                    with taken:
                        taken.recv(65536)
                        taken.sendall(answer)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        path = tmp_path / "kubeconfig"
        path.write_text(KUBECONFIG.format(port=listener.getsockname()[1]))
        return Gateway(KubeApi(str(path)))

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_broken_answer_is_taken_for_an_empty_cluster(answer: bytes, answering) -> None:
    gateway = answering(answer)
    for ask in (gateway.list_runs, gateway.namespaces, gateway.snapshot):
        with pytest.raises(ClusterUnreachable):
            ask()


def test_silence_ends_with_the_time_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = tmp_path / "kubeconfig"
        path.write_text(KUBECONFIG.format(port=listener.getsockname()[1]))
        with pytest.raises(ClusterUnreachable):
            Gateway(KubeApi(str(path))).snapshot(timeout_s=0.2)


@pytest.mark.parametrize("kubeconfig", ["/nonexistent", ""])
def test_no_way_to_the_cluster_is_said_at_once(kubeconfig: str) -> None:
    with pytest.raises(NotConfigured):
        KubeApi(kubeconfig)
