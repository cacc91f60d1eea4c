"""What the settings must be, each and together: a table for `manage.py check`, which every other command does first."""

from typing import Any, NamedTuple

from django.conf import LazySettings


class Bound(NamedTuple):
    """A number's smallest and largest sensible value; None: no largest."""

    least: float
    most: float | None = None


BOUNDS = {
    "DATABASE_TIMEOUT_S": Bound(0),
    "RATE_LIMIT_PER_MINUTE": Bound(0),
    "RATE_LIMIT_BURST": Bound(1),
    "RATE_LIMIT_FAILED_KEYS_PER_MINUTE": Bound(0),
    "RATE_LIMIT_JOB_TOKEN_PER_MINUTE": Bound(0),
    "SCENARIO_MAX_BYTES": Bound(1024),
    "SCENARIO_MAX_FILES": Bound(1),
    "SCENARIO_MAX_UNPACKED_BYTES": Bound(1024),
    "SCENARIO_MAX_RATIO": Bound(1),
    "JOB_DEFAULT_TIME_LIMIT_S": Bound(1),
    "JOB_MAX_TIME_LIMIT_S": Bound(1),
    "JOB_MAX_OUTPUT_BYTES": Bound(1024),
    "JOB_MAX_OUTPUT_FILES": Bound(1),
    "TENANT_MAX_RESULT_BYTES": Bound(0),
    "TENANT_MAX_SCENARIO_BYTES": Bound(0),
    "JOB_RETENTION_DAYS": Bound(0),
    "STUDY_MAX_RUNS": Bound(1),
    "JOB_TTL_AFTER_CAPTURE_SECONDS": Bound(0, 86400),
    "START_TIMEOUT_S": Bound(1),
    "IMAGE_ERROR_GRACE_S": Bound(0),
    "NODE_LOST_AFTER_S": Bound(1),
    "MAX_ATTEMPTS": Bound(1, 100),
    "DISPATCH_PER_SECOND": Bound(0),
    "FAIR_SHARE_HALF_LIFE": Bound(0.01),
    "LOG_FOLLOWERS": Bound(0),
    "NOTICE_RETENTION_DAYS": Bound(1),
    "WEBHOOKS_PER_TENANT": Bound(0),
}
# (the smaller, the larger)
ORDER = (
    ("JOB_DEFAULT_TIME_LIMIT_S", "JOB_MAX_TIME_LIMIT_S"),
    ("SCENARIO_MAX_BYTES", "SCENARIO_MAX_UNPACKED_BYTES"),
    ("SCENARIO_MAX_BYTES", "TENANT_MAX_SCENARIO_BYTES"),
    ("JOB_MAX_OUTPUT_BYTES", "TENANT_MAX_RESULT_BYTES"),
)
CHOICES = {"LOG_FORMAT": ("text", "json")}


def problems(settings: LazySettings) -> list[str]:
    """A sentence for each setting that cannot be meant, all at once."""
    found = []
    for name, bound in BOUNDS.items():
        value: Any = getattr(settings, name)
        if value < bound.least or (bound.most is not None and value > bound.most):
            upto = f" and at most {bound.most:g}" if bound.most is not None else ""
            found.append(f"{name} is {value}; it must be at least {bound.least:g}{upto}.")
    for smaller, larger in ORDER:
        low, high = getattr(settings, smaller), getattr(settings, larger)
        if low > high:
            found.append(f"{smaller} ({low}) is above {larger} ({high}); lower the one or raise the other.")
    for name, known in CHOICES.items():
        value = getattr(settings, name)
        if value not in known:
            found.append(f"{name} is “{value}”; it must be {' or '.join(known)}.")
    if settings.OIDC_ISSUER and not settings.OIDC_CLIENT_ID:
        found.append("OIDC_ISSUER is set without OIDC_CLIENT_ID; the provider names it when it registers this service.")
    if settings.OIDC_DEVICE_CLIENT_ID and not settings.OIDC_ISSUER:
        found.append("OIDC_DEVICE_CLIENT_ID is set without OIDC_ISSUER, at which the command line would sign in.")
    if "openid" not in settings.OIDC_SCOPES.split():
        found.append("OIDC_SCOPES lacks openid, without which a provider does not say who signs in.")
    if not settings.RUNNER_URL.startswith(("http://", "https://")):
        found.append(f"RUNNER_URL is “{settings.RUNNER_URL}”; it must begin with http:// or https://.")
    short = [key for key in settings.JOB_TOKEN_KEYS if len(key) < 32]
    if short and not settings.DEBUG:
        found.append("JOB_TOKEN_KEYS has a key of less than 32 characters; make one with `openssl rand -hex 32`.")
    return found
