"""Every setting of Guardia, named once. `docs/settings.md` explains each; a test compares the two.

A closed network has no secret manager to count on, so the embedded mode makes its own secrets under GUARDIA_HOME;
with an external database nothing has a default that an attacker could know.
"""

from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from guardia.database import database_url
from guardia.keys import secret_from_home

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# -- where things are ----------------------------------------------------------------------------------------
GUARDIA_HOME = Path(env.str("GUARDIA_HOME", default=str(BASE_DIR / "var"))).resolve()
GUARDIA_DATABASE_URL = env.str("GUARDIA_DATABASE_URL", default="")
GUARDIA_REDIS_URL = env.str("GUARDIA_REDIS_URL", default="")
GUARDIA_EMBEDDED = not GUARDIA_DATABASE_URL
GUARDIA_ARTEFACTS = GUARDIA_HOME / "artefacts"
GUARDIA_ARTEFACT_LIMIT = env.int("GUARDIA_ARTEFACT_LIMIT", default=512 * 1024 * 1024)

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
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
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
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "accounts.backends.RoleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # Argon2 is not in the Korean validated list
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 9}}]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "portal:home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = GUARDIA_HTTPS
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
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["guardia.common.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "guardia.api.errors.handle",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.AnonRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min", "anon": "60/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Guardia",
    "DESCRIPTION": "One record from the request to the servers and back.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {"ChannelEnum": "tickets.choices.Channel"},  # one name for the fields that share it
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}
SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(minutes=15), "REFRESH_TOKEN_LIFETIME": timedelta(hours=8)}

# -- approvals -------------------------------------------------------------------------------------------------
GUARDIA_SLA_SECONDS_PER_MINUTE = env.float("GUARDIA_SLA_SECONDS_PER_MINUTE", default=60.0)
GUARDIA_SWEEP_SECONDS = env.float("GUARDIA_SWEEP_SECONDS", default=10.0)

# -- the engine ----------------------------------------------------------------------------------------------
GUARDIA_HOSTS_AT_ONCE = env.int("GUARDIA_HOSTS_AT_ONCE", default=32)  # threads, and database connections, per worker
GUARDIA_LEASE_SECONDS = env.int("GUARDIA_LEASE_SECONDS", default=20)
GUARDIA_CONNECT_SECONDS = env.int("GUARDIA_CONNECT_SECONDS", default=15)

# -- logs ----------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"mask": {"()": "guardia.common.logs.MaskingFilter"}},
    "formatters": {"json": {"()": "guardia.common.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["mask"]}},
    "root": {"handlers": ["console"], "level": env.str("GUARDIA_LOG_LEVEL", default="INFO")},
    "loggers": {
        "django-q": {"level": "WARNING", "handlers": ["console"], "propagate": False},
        "paramiko": {"level": "CRITICAL"},
        "httpx": {"level": "WARNING"},
    },
}
