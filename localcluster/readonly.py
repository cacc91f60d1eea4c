"""`readOnlyRootFilesystem` for a process of this machine: by Landlock it writes to its volumes and nowhere else.

Linux 5.13 or later (https://docs.kernel.org/userspace-api/landlock.html). Elsewhere nothing is kept from it, so a local
cluster there is for scenarios that one trusts.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on all architectures
_VERSION, _PATH_BENEATH, _PR_SET_NO_NEW_PRIVS = 1, 1, 38
_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_IN_FOLDERS = sum(1 << bit for bit in range(4, 13))  # remove and make entries of every kind


def restrict_writes(libc: ctypes.CDLL, writable: Iterable[str]) -> bool:
    """From now on this process and its children write only to these files and below these folders; False if the
    kernel cannot do that."""
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    handled = _WRITE_FILE | _IN_FOLDERS | (_REFER if version > 1 else 0) | (_TRUNCATE if version > 2 else 0)
    ruleset = libc.syscall(_CREATE_RULESET, struct.pack("Q", handled), 8, 0)
    if ruleset < 0:
        return False
    for path in writable:
        try:
            where = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        is_folder = stat.S_ISDIR(os.fstat(where).st_mode)
        allowed = handled if is_folder else handled & (_WRITE_FILE | _TRUNCATE)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, where), 0)
        os.close(where)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    restricted = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(restricted)
