"""What can go wrong when speaking to the cluster. Not one of them means "there is nothing"."""


class GatewayError(Exception):
    """Any answer that is not the one asked for. `status` is the HTTP status, 0 if there was none."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s


class ClusterUnreachable(GatewayError):
    """No usable answer: refused or broken connection, time-out, 5xx, 429, a body that is not JSON, no credentials."""


class NotConfigured(ClusterUnreachable):
    """Neither KUBE_CONFIG_PATH nor a pod's service account tells where the cluster is."""


class Refused(GatewayError):
    """The cluster understood and said no (4xx)."""


class NotFound(Refused):
    """404."""


class Forbidden(Refused):
    """401 or 403: our identity lacks the right."""


class QuotaExceeded(Forbidden):
    """403 by a ResourceQuota. The object may exist nevertheless: look before believing."""


class NamespaceTerminating(Forbidden):
    """403: the namespace is being deleted and takes nothing new."""


class Conflict(Refused):
    """409: it exists, is being deleted, or was changed by someone else."""


class Expired(Refused):
    """410: a continue token or resourceVersion too old."""


class NotReady(Refused):
    """400 on a log: the container has not started."""


class NamespaceNotOurs(GatewayError):
    """A namespace of that name exists and is not this tenant's; it is never taken over."""
