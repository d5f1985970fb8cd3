"""All settings of the platform. Every variable read here is explained in .env.example."""

import contextlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from secondsticks import http, jobs
from training.store import StoreError, open_store
from training.store.s3 import S3Store


def env_bool(name: str, default: bool) -> bool:
    """Read a yes/no variable; anything but 1, 0, true, false, yes, no, on or off stops the start."""
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    value = os.environ.get(name, "").strip().lower()
    if value and value not in words:
        raise ImproperlyConfigured(f"{name} is {value!r}; say 1 or 0.")
    return words.get(value, default)


def env_int(name: str, default: int) -> int:
    """Read a whole number; anything else stops the start."""
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; give a whole number.") from None


def env_secret(name: str, kept_in: Path) -> str:
    """Read a secret from the environment, or from a file that is made once and that only we can read."""
    try:
        value = os.environ.get(name) or kept_secret(kept_in)
    except OSError as error:
        raise ImproperlyConfigured(f"Set {name}: {kept_in} cannot be kept ({error.strerror}).") from None
    if len(value) < 50 or len(set(value)) < 10 or value.startswith("django-insecure"):
        raise ImproperlyConfigured(f"{name} is too weak: give at least 50 random characters.")
    return value


def kept_secret(path: Path) -> str:
    """Return what the file holds, and make it first if need be: whole, as many may start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(60))
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
        unfinished.unlink()
    return path.read_text()


def database_from(url: str) -> dict[str, object]:
    """Turn postgresql://user:password@host:port/name?option=value into an entry of DATABASES."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name.")
    options: dict[str, object] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": {"connect_timeout": 5, **options},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def origin_of(url: str) -> str:
    """Return where browsers find the bucket of s3://bucket/prefix, as https://host."""
    try:
        store = open_store(url)
        if not isinstance(store, S3Store):
            raise ImproperlyConfigured("SECONDSTICKS_FOOTAGE_STORE must look like s3://bucket/prefix.")
        return store.origin
    except StoreError as error:
        raise ImproperlyConfigured(f"SECONDSTICKS_FOOTAGE_STORE: {error}") from None


CHECKOUT = Path(__file__).resolve().parents[2]
HOME = Path(
    os.environ.get("SECONDSTICKS_HOME")
    or (CHECKOUT / "var" if (CHECKOUT / "manage.py").exists() else Path.home() / ".secondsticks")
).absolute()
MEDIA_ROOT = HOME / "media"
LOGS = HOME / "logs"
# What machines share for training: runs, datasets, checkpoints, champion.json, frames.
SECONDSTICKS_STORE = os.environ.get("SECONDSTICKS_STORE") or (HOME / "store").as_uri()

# Footage: the largest file that may be uploaded, the server folders whose clips may be used where they lie,
# for how long a file in a watched one stays as it is until it counts as written, and nginx's internal prefix
# if it shall send videos instead of us.
SECONDSTICKS_MAX_UPLOAD = env_int("SECONDSTICKS_MAX_UPLOAD", 200 * 10**9)
SECONDSTICKS_FOLDERS = [f for f in os.environ.get("SECONDSTICKS_FOLDERS", "").split(os.pathsep) if f.strip()]
SECONDSTICKS_SETTLE_SECONDS = env_int("SECONDSTICKS_SETTLE_SECONDS", 10)
SECONDSTICKS_X_ACCEL = os.environ.get("SECONDSTICKS_X_ACCEL", "").rstrip("/")

# Footage in a bucket instead of in our home, and the largest size (bytes) of the folder into which it is
# fetched to be read.
SECONDSTICKS_FOOTAGE_STORE = os.environ.get("SECONDSTICKS_FOOTAGE_STORE", "").strip()
SECONDSTICKS_FOOTAGE_CACHE = env_int("SECONDSTICKS_FOOTAGE_CACHE", 100 * 10**9)

# Where people reach us. The one variable from which hosts, cookies and HTTPS follow.
ORIGINS = [o.strip().rstrip("/") for o in os.environ.get("SECONDSTICKS_ORIGIN", "").split(",") if o.strip()]
if any(urlsplit(o).scheme not in {"http", "https"} or not urlsplit(o).hostname for o in ORIGINS):
    raise ImproperlyConfigured("SECONDSTICKS_ORIGIN must be an address such as https://sticks.example.org.")
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
PUBLIC_HOSTS = sorted({str(urlsplit(o).hostname) for o in ORIGINS} - {"localhost", "127.0.0.1", "::1"})
HTTPS = bool(ORIGINS) and all(o.startswith("https://") for o in ORIGINS)

DEBUG = env_bool("DEBUG", False)
if DEBUG and PUBLIC_HOSTS:
    raise ImproperlyConfigured(f"DEBUG shows our insides to {ORIGINS[0]}: unset it, or SECONDSTICKS_ORIGIN.")
SECRET_KEY = env_secret("SECRET_KEY", HOME / "secret_key")
ALLOWED_HOSTS = LOCAL_HOSTS + PUBLIC_HOSTS
CSRF_TRUSTED_ORIGINS = ORIGINS

# Unset: the embedded server, whose address `manage.py up` keeps in this file. While there is none yet,
# connecting fails at once instead of reaching some other server by libpq's defaults.
EMBEDDED_POSTGRES_URL = HOME / "postgres.url"
NOWHERE = "postgresql://nobody@127.0.0.1:9/run-manage.py-up-first"
DATABASE_URL = os.environ.get("DATABASE_URL") or (
    EMBEDDED_POSTGRES_URL.read_text().strip() if EMBEDDED_POSTGRES_URL.exists() else NOWHERE
)
DATABASES = {"default": database_from(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "dramatiq_postgres.django",  # first: its ready() sets the broker that the actors of our apps need
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "secondsticks.running",
    "secondsticks.footage",
    "secondsticks.detection",
    "secondsticks.labeling",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "secondsticks.urls"
WSGI_APPLICATION = "secondsticks.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # served from the apps: no collectstatic step

# Signing in
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a guesser locks out neither others nor other places
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "secondsticks.http.locked_out"

# What browsers are told
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
if SECONDSTICKS_FOOTAGE_STORE:  # browsers put clips straight into the bucket, and play them from there
    BUCKET_ORIGIN = origin_of(SECONDSTICKS_FOOTAGE_STORE)
    for directive in ("connect-src", "media-src"):
        CONTENT_SECURITY_POLICY["DIRECTIVES"][directive].append(BUCKET_ORIGIN)
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Names of our own: cookies know no ports, and a Label Studio on the same host uses Django's.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "secondsticks_session", "secondsticks_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True  # scripts take the token from the page, not from the cookie
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked from inside, without TLS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Sub-domains and browser preload lists bind neighbours of ours that we know nothing about.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if env_bool("SECONDSTICKS_BEHIND_PROXY", HTTPS):  # `up` itself speaks plain HTTP: TLS ends at a proxy
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Jobs
DRAMATIQ_BROKER = jobs.broker_settings(DATABASES["default"])
DRAMATIQ_ACTORS_MODULE = "tasks"
SWEEPS = [f"secondsticks.{app}.tasks.sweep" for app in ("footage", "detection", "labeling")]
SWEEP_SECONDS = env_int("SECONDSTICKS_SWEEP_SECONDS", 20)
DEMO = "secondsticks.footage.demo.enqueue"  # makes the demo project on the first start

# The ML backend that serves the champion to Label Studio. `up` starts it when told to, and when told nothing
# if one of these functions says that it is needed.
ML_SECRET = env_secret("SECONDSTICKS_ML_SECRET", HOME / "ml_secret")
ML_PORT = env_int("SECONDSTICKS_ML_PORT", 9090)
ML_BACKEND = env_bool("SECONDSTICKS_ML_BACKEND", False) if os.environ.get("SECONDSTICKS_ML_BACKEND") else None
ML_BACKEND_NEEDED = ["secondsticks.labeling.label_studio.syncing.is_ml_backend_needed"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"away": {"()": "django.utils.log.CallbackFilter", "callback": http.one_line_while_away}},
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["away"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "axes": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},  # a line for each call to Label Studio
        "psycopg.pool": {"level": "ERROR"},
    },
}
