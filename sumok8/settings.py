"""Settings, read from the environment. Any secret may come from a file: set `<NAME>_FILE` to its path.

The README's table lists every variable; nothing else configures the product.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from sumok8 import storages
from sumok8.addresses import trusted_networks
from sumok8.logs import logging_config
from sumok8.openapi import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from tenants.database import DIRECT, Connection

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

DEBUG: bool = env.bool("DEBUG", default=False)
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT: str = env.str("LOG_FORMAT", default="text")  # or json
LOGGING = logging_config(level=LOG_LEVEL, as_json=LOG_FORMAT == "json")
LOGGING_CONFIG = "sumok8.logs.configure"

# No defaults: a production start without them must fail, not run on a published key.
SECRET_KEY: str = env.str("SECRET_KEY", default="debug-only" if DEBUG else environ.Env.NOTSET)
JOB_TOKEN_KEYS: list[str] = env.list(
    "JOB_TOKEN_KEYS", default=[SECRET_KEY] if DEBUG else environ.Env.NOTSET
)  # first signs, all verify
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "sumok8.admin_site.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "axes",
    "tenants",
    "simulations",
    "simulations.studies",
    "simulations.edges",
    "simulations.webhooks",
    "simulations.portal",
    "clusterops",
    "clusterops.usage",
    "sumok8",
]

MIDDLEWARE = [
    "sumok8.metrics.MetricsMiddleware",
    "sumok8.middleware.ClientAddressMiddleware",
    "sumok8.middleware.RequestIdMiddleware",
    "sumok8.middleware.RateLimitHeadersMiddleware",
    "sumok8.middleware.SentByProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "sumok8.middleware.ContentSecurityPolicyMiddleware",
    "sumok8.one_job.OneJobMiddleware",
    "sumok8.bodies.BodyBoundMiddleware",
    "sumok8.middleware.PlainTextMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.accounts.middleware.SessionUseMiddleware",
    "sumok8.middleware.ActingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "sumok8.urls"
WSGI_APPLICATION = "sumok8.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# PostgreSQL only: locks, LISTEN/NOTIFY and constraints carry the rules.
DATABASES = {"default": env.db_url("DATABASE_URL", engine="django.db.backends.postgresql")}
# Past a pooler, for what needs a session of its own; the same database.
if env.str("DATABASE_DIRECT_URL", default=""):
    DATABASES[DIRECT] = env.db_url("DATABASE_DIRECT_URL", engine="django.db.backends.postgresql")
    DATABASES[DIRECT]["TEST"] = {"MIRROR": "default"}
for _database in DATABASES.values():
    # A database host that vanished is noticed within seconds rather than the kernel's quarter of an hour.
    _database.setdefault("OPTIONS", {}).update({"connect_timeout": 5, "tcp_user_timeout": 15_000})
    _database["DISABLE_SERVER_SIDE_CURSORS"] = True  # a pooler would lose them between two transactions
# Seconds without a word from the server after which a statement is given up; 0 = never.
DATABASE_TIMEOUT_S: float = env.float("DATABASE_TIMEOUT_S", default=10.0)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 1,
    "max_size": 16,
    "timeout": 4,
    # Each request may try anew; the pool's own tries would pause for up to two minutes after an outage has ended.
    "reconnect_timeout": 2,
    "connection_class": Connection,
}
# For `tenants.plain_sql` alone: the ORM's own statements carry their values and are never prepared.
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 2
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
PASSWORD_RESET_TIMEOUT = 4 * 3600  # seconds for which the link of a letter works
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Ten wrong passwords for a name from one address lock that pair out for a quarter of an hour.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "locked_out.html"
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "admin:index"
CSRF_FAILURE_VIEW = "sumok8.errors.csrf_failure"

# People sign in at this OpenID Connect provider too; without an issuer by password alone.
OIDC_ISSUER: str = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID: str = env.str("OIDC_CLIENT_ID", default="")
OIDC_DEVICE_CLIENT_ID: str = env.str("OIDC_DEVICE_CLIENT_ID", default="")  # the command line's, a public client
OIDC_CLIENT_SECRET: str = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME: str = env.str("OIDC_NAME", default="single sign-on")  # on the button
OIDC_SCOPES: str = env.str("OIDC_SCOPES", default="openid profile")
OIDC_GROUPS_CLAIM: str = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_STAFF_GROUPS: dict[str, str] = env.dict("OIDC_STAFF_GROUPS", default={})  # the provider's group: ours

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "sumok8.formats"

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]

# Scenarios and results: a folder, or S3-compatible storage when a bucket is named; clusters may name one of a region.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))
MEDIA_ROOT = DATA_DIR / "media"
S3_BUCKET: str = env.str("S3_BUCKET", default="")
S3_ENDPOINT_URL: str = env.str("S3_ENDPOINT_URL", default="")
_files: dict[str, Any] = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
if S3_BUCKET:
    _files = storages.bucket(
        S3_BUCKET,
        endpoint=S3_ENDPOINT_URL,
        region=env.str("S3_REGION", default=""),
        key=env.str("S3_ACCESS_KEY_ID", default=""),
        secret=env.str("S3_SECRET_ACCESS_KEY", default=""),
        addressing_style=env.str("S3_ADDRESSING_STYLE", default=""),
    )
_of_regions = storages.of_regions(
    env.str("REGION_STORAGES", default=""), apart_from=_files if S3_BUCKET else storages.folder(MEDIA_ROOT)
)
STORAGES: dict[str, Any] = {
    "default": _files,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    **_of_regions,
}
if DEBUG:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Nobody's form may write to our disk; POST /scenarios brings a handler of its own (`simulations.api.uploads`).
FILE_UPLOAD_HANDLERS = ["sumok8.bodies.NoFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes of a JSON body or form
FILE_UPLOAD_PERMISSIONS = 0o640

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.permissions.IsTenant"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tenants.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sumok8.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
# Requests per minute; 0 = no limit. A burst is what may come at once after a pause.
RATE_LIMIT_PER_MINUTE: int = env.int("RATE_LIMIT_PER_MINUTE", default=6000)  # of a tenant, whatever its number of keys
RATE_LIMIT_BURST: int = env.int("RATE_LIMIT_BURST", default=max(1, RATE_LIMIT_PER_MINUTE // 3))
RATE_LIMIT_FAILED_KEYS_PER_MINUTE: int = env.int("RATE_LIMIT_FAILED_KEYS_PER_MINUTE", default=60)  # of an address
RATE_LIMIT_JOB_TOKEN_PER_MINUTE: int = env.int("RATE_LIMIT_JOB_TOKEN_PER_MINUTE", default=1200)  # of a job's pods

# Tenants
CONTROLLER_NAMESPACE: str = env.str("CONTROLLER_NAMESPACE", default="sumok8")
NAMESPACE_PREFIX: str = env.str("NAMESPACE_PREFIX", default="")

# Uploads: bytes of the zip, files in it, bytes unpacked, unpacked / packed
SCENARIO_MAX_BYTES: int = env.int("SCENARIO_MAX_BYTES", default=512 * 1024**2)
SCENARIO_MAX_FILES: int = env.int("SCENARIO_MAX_FILES", default=5000)
SCENARIO_MAX_UNPACKED_BYTES: int = env.int("SCENARIO_MAX_UNPACKED_BYTES", default=4 * 1024**3)
SCENARIO_MAX_RATIO: int = env.int("SCENARIO_MAX_RATIO", default=200)

# Jobs
JOB_DEFAULT_TIME_LIMIT_S: int = env.int("JOB_DEFAULT_TIME_LIMIT_S", default=4 * 3600)
JOB_MAX_TIME_LIMIT_S: int = env.int("JOB_MAX_TIME_LIMIT_S", default=24 * 3600)
JOB_MAX_OUTPUT_BYTES: int = env.int("JOB_MAX_OUTPUT_BYTES", default=2 * 1024**3)
JOB_MAX_OUTPUT_FILES: int = env.int("JOB_MAX_OUTPUT_FILES", default=1000)  # of one attempt
TENANT_MAX_RESULT_BYTES: int = env.int("TENANT_MAX_RESULT_BYTES", default=50 * 1024**3)
TENANT_MAX_SCENARIO_BYTES: int = env.int("TENANT_MAX_SCENARIO_BYTES", default=20 * 1024**3)
JOB_RETENTION_DAYS: int = env.int("JOB_RETENTION_DAYS", default=0)  # `manage.py prune` deletes older ones; 0 = never
STUDY_MAX_RUNS: int = env.int("STUDY_MAX_RUNS", default=500)  # of one study; up to 5000 is sensible

# Webhooks
# Endpoints' secrets are derived from it, so it stays as it is when SECRET_KEY changes.
WEBHOOK_KEY: str = env.str("WEBHOOK_KEY", default="") or SECRET_KEY
# Networks that are not public and may be called all the same, there also by plain HTTP and at any port.
WEBHOOK_ALLOWED_NETWORKS = [ip_network(each) for each in env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])]
WEBHOOKS_PER_TENANT: int = env.int("WEBHOOKS_PER_TENANT", default=10)
NOTICE_RETENTION_DAYS: int = env.int("NOTICE_RETENTION_DAYS", default=30)  # for replays; then they are deleted

# Mail to tenants' contact addresses, by `manage.py notify`; without an EMAIL_URL none is sent.
EMAIL_URL: str = env.str("EMAIL_URL", default="")  # smtp+tls://user:password@host:587, or smtp+ssl:// and 465
if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 20
MAIL_WEEKLY: bool = env.bool("MAIL_WEEKLY", default=True)  # on Mondays, of what a tenant ran in the week
DEFAULT_FROM_EMAIL: str = env.str("MAIL_FROM", default="SUMO-K8 <sumok8@localhost>")

# Usage and bills
BILLING_TIME_ZONE: str = env.str("BILLING_TIME_ZONE", default="UTC")  # whose days and months they count by
BILLING_CURRENCY: str = env.str("BILLING_CURRENCY", default="EUR")  # of all prices, ISO 4217

# Cluster
# Marks this installation's objects where several share a cluster; empty: one made at the first start, kept in the
# database.
INSTALLATION_ID: str = env.str("INSTALLATION_ID", default="")
KUBE_CONFIG_PATH: str = env.str("KUBE_CONFIG_PATH", default="")  # empty: the pod's own service account
RUNNER_IMAGE: str = env.str("RUNNER_IMAGE", default="sumok8-runner:1.28.0")
RUNNER_URL: str = env.str("RUNNER_URL", default="http://127.0.0.1:8000")  # this service, as pods see it
# Where simulations' pods may ask for names: pods of the cluster, and these networks (or `any`). By default all private
# and link-local ones: name servers on the machines, NodeLocal DNSCache, Cloud DNS. OpenShift's listen on 5353.
RUNNER_DNS_CIDRS: list[str] = env.list(
    "RUNNER_DNS_CIDRS",
    default=[
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    ],
)
RUNNER_DNS_PORTS: list[int] = env.list("RUNNER_DNS_PORTS", cast=int, default=[53, 5353])
RUNNER_NODE_SELECTOR: dict[str, str] = env.dict("RUNNER_NODE_SELECTOR", default={})
RUNNER_TOLERATIONS: list[str] = env.list("RUNNER_TOLERATIONS", default=[])  # taint keys, any value and effect
JOB_TTL_SECONDS = 86400  # leak guard on the Kubernetes Job until its outcome is stored
JOB_TTL_AFTER_CAPTURE_SECONDS: int = env.int("JOB_TTL_AFTER_CAPTURE_SECONDS", default=120)
START_TIMEOUT_S: int = env.int("START_TIMEOUT_S", default=3600)  # created but never running
IMAGE_ERROR_GRACE_S: int = env.int("IMAGE_ERROR_GRACE_S", default=300)
NODE_LOST_AFTER_S: int = env.int("NODE_LOST_AFTER_S", default=420)
MAX_ATTEMPTS: int = env.int("MAX_ATTEMPTS", default=3)
DISPATCH_PER_SECOND: int = env.int("DISPATCH_PER_SECOND", default=20)  # Kubernetes Jobs created; 0 = no limit
# Days after which what a tenant has used counts half, where jobs of several tenants wait for the same room.
FAIR_SHARE_HALF_LIFE: float = env.float("FAIR_SHARE_HALF_LIFE", default=7.0)
# What jobs may have in the cluster at one time; beyond it they wait here, in order, rather than as pods.
CAPACITY: str = env.str("CAPACITY", default="off")
# Who lets Kubernetes Jobs start: `own`, as soon as they are made; `kueue`, when the operator's ClusterQueue has room.
QUEUEING: str = env.str("QUEUEING", default="own")
KUEUE_CLUSTER_QUEUE: str = env.str("KUEUE_CLUSTER_QUEUE", default="sumok8")
LOG_FOLLOWERS: int = env.int("LOG_FOLLOWERS", default=50)  # followed logs per web process; each keeps a thread
OPERATORS_WEBHOOK: str = env.str("OPERATORS_WEBHOOK", default="")  # told when other causes need the operator
OPERATORS_EMAIL: list[str] = env.list("OPERATORS_EMAIL", default=[])  # the same by mail, where EMAIL_URL is set
METRICS_PER_TENANT: bool = env.bool("METRICS_PER_TENANT", default=False)  # a gauge for each tenant and state
HEARTBEAT_FILE: str = env.str("HEARTBEAT_FILE", default="")  # touched after each reconciler pass

# Whose X-Forwarded-For is believed: addresses and networks. A Unix socket's caller is believed too.
TRUSTED_PROXIES = trusted_networks(env.list("TRUSTED_PROXIES", default=["127.0.0.1", "::1"]))

# HTTPS, when a proxy or ingress terminates TLS
HTTPS: bool = env.bool("HTTPS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [
    r"^healthz$",
    r"^readyz$",
    r"^metrics$",
    r"^runner/",
    r"^-/",
]  # reached inside the cluster, by plain HTTP
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_ENGINE = "tenants.accounts.session_store"

if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must be a postgresql:// URL.")
for _cidr in RUNNER_DNS_CIDRS:
    if _cidr != "any":
        try:
            ip_network(_cidr)
        except ValueError as _error:
            raise ImproperlyConfigured(
                f"RUNNER_DNS_CIDRS: {_error}; give networks such as 10.0.0.0/8, or any."
            ) from None
if not re.fullmatch(r"off|nodes|nodepool=[a-z0-9.-]+|cpu=[1-9]\d{0,6},memory=[1-9]\d{0,6}[GT]i", CAPACITY):
    raise ImproperlyConfigured("CAPACITY must be off, nodes, nodepool=NAME or such as cpu=100,memory=200Gi.")
if QUEUEING not in {"own", "kueue"}:
    raise ImproperlyConfigured("QUEUEING must be own or kueue.")
try:
    ZoneInfo(BILLING_TIME_ZONE)
except (ValueError, OSError, KeyError):
    raise ImproperlyConfigured(f"BILLING_TIME_ZONE: {BILLING_TIME_ZONE!r} is no name like Europe/Zurich.") from None
if not re.fullmatch(r"[A-Z]{3}", BILLING_CURRENCY):
    raise ImproperlyConfigured("BILLING_CURRENCY must be three capital letters, such as EUR.")
if not JOB_TOKEN_KEYS:
    raise ImproperlyConfigured("JOB_TOKEN_KEYS has no key: no job could be started.")
if any(value.startswith("example-") for value in [SECRET_KEY, *JOB_TOKEN_KEYS]):
    raise ImproperlyConfigured("SECRET_KEY or JOB_TOKEN_KEYS is still the published example; make your own.")
