"""Every setting of Guardia, named once. `docs/settings.md` explains each; a test compares the two.

A closed network has no secret manager to count on, so the embedded mode makes its own secrets under GUARDIA_HOME;
with an external database nothing has a default that an attacker could know.
"""

from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from accounts.password_profiles import password_profile
from guardia.database import database_url
from guardia.keys import secret_from_home
from guardia.ldap import ldap_settings
from guardia.logging_config import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# -- where things are ----------------------------------------------------------------------------------------
GUARDIA_HOME = Path(env.str("GUARDIA_HOME", default=str(BASE_DIR / "var"))).resolve()
GUARDIA_DATABASE_URL = env.str("GUARDIA_DATABASE_URL", default="")
GUARDIA_REDIS_URL = env.str("GUARDIA_REDIS_URL", default="")
GUARDIA_EMBEDDED = not GUARDIA_DATABASE_URL
GUARDIA_ARTEFACTS = GUARDIA_HOME / "artefacts"
GUARDIA_ARTEFACT_LIMIT = env.int("GUARDIA_ARTEFACT_LIMIT", default=512 * 1024 * 1024)

# What one user, and one institution, may ask for: requests in a day, MiB of files of what is open or of today; 0: any.
GUARDIA_QUOTA_USER_REQUESTS = env.int("GUARDIA_QUOTA_USER_REQUESTS", default=2000)
GUARDIA_QUOTA_REQUESTS = env.int("GUARDIA_QUOTA_REQUESTS", default=20000)
GUARDIA_QUOTA_USER_MIB = env.int("GUARDIA_QUOTA_USER_MIB", default=20480)
GUARDIA_QUOTA_MIB = env.int("GUARDIA_QUOTA_MIB", default=204800)

# -- secrets -------------------------------------------------------------------------------------------------
SECRET_KEY = (
    secret_from_home(GUARDIA_HOME, "secret_key", env.str("GUARDIA_SECRET_KEY", default=""))
    if GUARDIA_EMBEDDED
    else env.str("GUARDIA_SECRET_KEY")
)
GUARDIA_VAULT_KEY = env.str("GUARDIA_VAULT_KEY", default="")

# -- Django --------------------------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = env.list("GUARDIA_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("GUARDIA_TRUSTED_ORIGINS", default=[])
GUARDIA_HTTPS = env.bool("GUARDIA_HTTPS", default=False)
# The addresses of the load balancers in front of us; only their forwarded headers are believed.
GUARDIA_TRUSTED_PROXIES = env.list("GUARDIA_TRUSTED_PROXIES", default=[])

# Ours, from the bottom floor up; only these may have background tasks (guardia.common.broker).
GUARDIA_APPS = ["accounts", "audit", "cmdb", "notifications", "tickets", "governance", "execution", "guardia"]
INSTALLED_APPS = [
    "guardia.admin_site.GuardiaAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_q",
    "auditlog",
    "django_otp",
    "axes",
    "accounts",
    "audit",
    "cmdb",
    "notifications",
    "tickets",
    "governance",
    "execution",
    "guardia",
]
MIDDLEWARE = [
    "guardia.common.middleware.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "guardia.common.middleware.BodyLimit",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.Rates",
    "accounts.middleware.SessionLimits",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "guardia.urls"
ASGI_APPLICATION = "guardia.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "guardia.context_processors.portal",
            ],
        },
    },
]
DATABASES = {
    "default": {
        **environ.Env.db_url_config(database_url(GUARDIA_HOME, GUARDIA_DATABASE_URL)),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,  # 623 enqueues/s against 47/s at 0
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- accounts ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: who is locked out is asked nothing
    "accounts.backends.RoleBackend",  # before Django's own: roles are the one way to rights
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # Argon2 is not in the Korean validated list
GUARDIA_PASSWORD_PROFILE = env.str("GUARDIA_PASSWORD_PROFILE", default="kr-public")
AUTH_PASSWORD_VALIDATORS = password_profile(GUARDIA_PASSWORD_PROFILE).validators
GUARDIA_REQUIRE_TOTP_FOR = env.list("GUARDIA_REQUIRE_TOTP_FOR", default=[])
GUARDIA_SESSION_IDLE_MINUTES = env.int("GUARDIA_SESSION_IDLE_MINUTES", default=30)
GUARDIA_SESSION_HOURS = env.int("GUARDIA_SESSION_HOURS", default=8)
# So often a user may ask, or an address without one (accounts.rates); forms are what changes something.
GUARDIA_RATE_REQUESTS = env.str("GUARDIA_RATE_REQUESTS", default="600/min")
GUARDIA_RATE_FORMS = env.str("GUARDIA_RATE_FORMS", default="120/min")
GUARDIA_RATE_TOKEN = env.str("GUARDIA_RATE_TOKEN", default="120/min")
GUARDIA_RATE_GATEWAY = env.str("GUARDIA_RATE_GATEWAY", default="1800/min")
# Five failures of one name from one address: a quarter of an hour of silence.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.lockout.counted_name"
AXES_LOCKOUT_CALLABLE = "guardia.portal.door.locked_out_answer"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the chain has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "otp", "code", "csrfmiddlewaretoken"]
# An institution's directory, where GUARDIA_LDAP_URL names one and the extra `ldap` is installed.
GUARDIA_LDAP_URL = env.str("GUARDIA_LDAP_URL", default="")
GUARDIA_LDAP_BIND_DN = env.str("GUARDIA_LDAP_BIND_DN", default="")
GUARDIA_LDAP_BIND_PASSWORD = env.str("GUARDIA_LDAP_BIND_PASSWORD", default="")
GUARDIA_LDAP_USER_BASE = env.str("GUARDIA_LDAP_USER_BASE", default="")
GUARDIA_LDAP_USER_FILTER = env.str("GUARDIA_LDAP_USER_FILTER", default="(uid=%(user)s)")
GUARDIA_LDAP_START_TLS = env.bool("GUARDIA_LDAP_START_TLS", default=True)
GUARDIA_LDAP_CA_FILE = env.str("GUARDIA_LDAP_CA_FILE", default="")
if _ldap := ldap_settings(
    url=GUARDIA_LDAP_URL,
    bind_dn=GUARDIA_LDAP_BIND_DN,
    bind_password=GUARDIA_LDAP_BIND_PASSWORD,
    user_base=GUARDIA_LDAP_USER_BASE,
    user_filter=GUARDIA_LDAP_USER_FILTER,
    start_tls=GUARDIA_LDAP_START_TLS,
    ca_file=GUARDIA_LDAP_CA_FILE,
):
    globals().update(_ldap)
    AUTHENTICATION_BACKENDS.append("guardia.directory.DirectoryBackend")
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "portal:home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = GUARDIA_SESSION_HOURS * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = GUARDIA_HTTPS
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = True, "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if GUARDIA_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = GUARDIA_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# -- language, time, files -----------------------------------------------------------------------------------
LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "Asia/Seoul"
STATIC_URL = "/static/"
STATIC_ROOT = GUARDIA_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# -- background work (guards: parts.md; held by guardia.checks) ---------------------------------------------------
Q_CLUSTER = {
    "name": "guardia",
    "orm": "default",
    "broker_class": "guardia.common.broker.AllowListBroker",
    "workers": env.int("GUARDIA_WORKERS", default=2),
    "bulk": 1,
    "queue_limit": env.int("GUARDIA_WORKERS", default=2),
    "timeout": 900,
    "retry": 960,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,  # results would be pickles: none is stored
    "poll": 0.1,
    "label": "Django Q",
}

# -- live events ---------------------------------------------------------------------------------------------
CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [GUARDIA_REDIS_URL]}}
        if GUARDIA_REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

# -- the API -------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.PersonalTokenAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.api.permissions.ScopeAllows",
    ],
    "DEFAULT_PARSER_CLASSES": ["guardia.common.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "guardia.api.errors.handle",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttles.RateThrottle"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Guardia",
    "DESCRIPTION": "One record from the request to the servers and back.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,  # what may not be empty says so
    "ENUM_NAME_OVERRIDES": {  # one name for the fields that share it
        "ChannelEnum": "tickets.choices.Channel",
        "RunStatusEnum": "execution.choices.RunStatus",
        "ReportKindEnum": "audit.choices.ReportKind",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.api.permissions.ScopeAllows",
    ],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=8),
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends the tokens that were given for the old one
}

# -- approvals -------------------------------------------------------------------------------------------------
GUARDIA_SLA_SECONDS_PER_MINUTE = env.float("GUARDIA_SLA_SECONDS_PER_MINUTE", default=60.0)
GUARDIA_SWEEP_SECONDS = env.float("GUARDIA_SWEEP_SECONDS", default=10.0)

# -- the chain -----------------------------------------------------------------------------------------------
GUARDIA_CHECKPOINT_DIR = env.str("GUARDIA_CHECKPOINT_DIR", default="")
GUARDIA_CHECKPOINT_APPEND_ONLY = env.bool("GUARDIA_CHECKPOINT_APPEND_ONLY", default=True)
GUARDIA_CHECKPOINT_MINUTES = env.int("GUARDIA_CHECKPOINT_MINUTES", default=60)
GUARDIA_CHECKPOINT_ENTRIES = env.int("GUARDIA_CHECKPOINT_ENTRIES", default=1000)
GUARDIA_CHECKPOINT_WITNESSES = env.list("GUARDIA_CHECKPOINT_WITNESSES", default=[])
GUARDIA_WITNESS_SECONDS = env.float("GUARDIA_WITNESS_SECONDS", default=10.0)

# -- the engine ----------------------------------------------------------------------------------------------
GUARDIA_HOSTS_AT_ONCE = env.int("GUARDIA_HOSTS_AT_ONCE", default=24)  # threads per worker process
GUARDIA_LEASE_SECONDS = env.int("GUARDIA_LEASE_SECONDS", default=20)
GUARDIA_CORE_LOG_KIB = env.int("GUARDIA_CORE_LOG_KIB", default=64)
GUARDIA_SERVER_NETWORKS = env.list("GUARDIA_SERVER_NETWORKS", default=[])  # empty: cmdb.addresses says which
GUARDIA_CONNECT_SECONDS = env.int("GUARDIA_CONNECT_SECONDS", default=15)
GUARDIA_GATEWAY_PULL_SECONDS = env.float("GUARDIA_GATEWAY_PULL_SECONDS", default=2.0)
# In a gateway's home its own name (“MOEF/busan”), written there when it was enrolled; empty in the core's.
_name = GUARDIA_HOME / "keys" / "gateway" / "name"
GUARDIA_GATEWAY = _name.read_text().strip() if _name.exists() else ""

# -- logs ----------------------------------------------------------------------------------------------------
GUARDIA_LOG_DIR = env.str("GUARDIA_LOG_DIR", default="") or str(GUARDIA_HOME / "logs")
GUARDIA_LOG_MIB = env.int("GUARDIA_LOG_MIB", default=16)
GUARDIA_LOG_DAYS = env.int("GUARDIA_LOG_DAYS", default=90)
GUARDIA_LOG_FILES = env.int("GUARDIA_LOG_FILES", default=60)
LOGGING = logging_config(
    Path(GUARDIA_LOG_DIR),
    level=env.str("GUARDIA_LOG_LEVEL", default="INFO"),
    max_bytes=GUARDIA_LOG_MIB * 1024 * 1024,
    days=GUARDIA_LOG_DAYS,
    keep=GUARDIA_LOG_FILES,
)
