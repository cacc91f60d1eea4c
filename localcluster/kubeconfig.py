"""The bearer token and the kubeconfig file that carries it. Both are readable by their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def keep_token(path: Path) -> str:
    """The token of this data directory; made once, so that a kubeconfig stays good over restarts."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text()


def write(path: Path, port: int, token: str) -> None:
    text = f"""\
apiVersion: v1
kind: Config
clusters:
- name: local
  cluster:
    server: http://127.0.0.1:{port}
users:
- name: local
  user:
    token: {token}
contexts:
- name: local
  context:
    cluster: local
    user: local
current-context: local
"""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, text)


def write_private(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
