"""Django's settings; every value that differs between machines comes from `environment`."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab

from billing.tiers import Tier
from gas_project import environment
from gas_project.logs import logging_config
from gas_project.routers import JOBS_DATABASE
from gas_project.secret import kept_secret
from tasks.queues import DEFAULT, QUEUES, ROUTES, TIME_LIMITS

ENVIRONMENT, ENVIRONMENT_PROBLEMS, ENVIRONMENT_UNKNOWN = environment.load()

STATE_DIR = ENVIRONMENT.state_dir.resolve()
REFERENCES_DIR = (ENVIRONMENT.references_dir or STATE_DIR / "references").resolve()

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key or kept_secret(STATE_DIR / "secret-key")
SECRET_KEY_FALLBACKS = ENVIRONMENT.secret_key_fallbacks
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
SITE_URL = ENVIRONMENT.site_url or f"http://127.0.0.1:{ENVIRONMENT.port}"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
if SITE_URL.startswith("https:"):
    # Something in front of this process speaks TLS, and says so in this header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

INSTALLED_APPS = [
    "gas_project",
    "annotations",
    "annotations.sharing",
    "annotations.api",
    "annotations.incoming",
    "annotations.webhooks",
    "billing",
    "archival",
    "tasks",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "gas_project.accounts",  # after allauth, some of whose pages in the admin it replaces
    "ninja",  # for the scripts and styles of the API's documentation
]

MIDDLEWARE = [
    "gas_project.middleware.content_security_policy",
    "annotations.api.middleware.manners",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gas_project.middleware.private_pages",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "gas_project.urls"
WSGI_APPLICATION = "gas_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE_DIR / "database.sqlite3",
        "OPTIONS": {
            # The web process, the worker and beat write side by side: WAL lets readers go on, and IMMEDIATE
            # takes the write lock at the start of a transaction, where waiting for it is still possible.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }
}
if ENVIRONMENT.database_url:
    DATABASES["default"] = environment.postgresql(ENVIRONMENT.database_url)
if ENVIRONMENT.jobs_database == "dynamodb":
    DATABASES[JOBS_DATABASE] = {
        "ENGINE": "annotations.dynamodb",
        "NAME": ENVIRONMENT.dynamodb_prefix,
        "OPTIONS": {
            "region_name": ENVIRONMENT.dynamodb_region or None,
            "endpoint_url": ENVIRONMENT.dynamodb_endpoint_url or None,
            "names": ENVIRONMENT.dynamodb_names,
        },
    }
    DATABASE_ROUTERS = ["gas_project.routers.JobsApart"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "annotations:jobs"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "gas_project.accounts.forms.ProfileOnSignup"
ACCOUNT_EMAIL_VERIFICATION = "optional"
# One address an account: a new one takes the place of the old as soon as it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = SITE_URL.partition(":")[0]
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Genomics Annotation Service] "
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
# Else everybody behind a load balancer would share its address, and the limits on wrong passwords with it.
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.trusted_proxies
# Who has no provider named sees nothing of this.
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [provider.as_app(name) for name, provider in ENVIRONMENT.openid_providers.items()],
    }
}
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
# A provider's word on an e-mail address opens no account that has it.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
MFA_ADAPTER = "gas_project.accounts.sealing.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Genomics Annotation Service"
MFA_TOTP_TOLERANCE = 1  # clocks of phones are off by some seconds
# Browsers take passkeys over plain HTTP from localhost only; the library has to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SITE_URL.startswith("http:")
# Addresses need not be confirmed here, and a second factor is for everybody.
MFA_ALLOW_UNVERIFIED_EMAIL = True

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = ENVIRONMENT.static_url or "static/"
STATIC_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(STATIC_URL))] if ENVIRONMENT.static_url else []
STATIC_ROOT = ENVIRONMENT.static_dir
# Libraries for the browser, as `make assets` lays them out; without them pages show tables in place of plots.
ASSETS_DIR = environment.BASE_DIR / "gas_project" / "assets" / "static"
HAS_ASSETS = ASSETS_DIR.is_dir()
STATICFILES_DIRS = [ASSETS_DIR] if HAS_ASSETS else []
# The apps' own files are served where they stand: one machine needs no collectstatic.
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_STATIC_PREFIX = "/static/"

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": STATE_DIR / "objects"},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
UPLOAD_PART_BYTES = ENVIRONMENT.upload_part_bytes
# The names that a job's record gives to where its files are.
INPUTS_BUCKET = ENVIRONMENT.inputs_bucket or "inputs"
RESULTS_BUCKET = ENVIRONMENT.results_bucket or "results"
OBJECT_STORE = (
    "annotations.storage.s3.S3ObjectStore"
    if ENVIRONMENT.inputs_bucket
    else "annotations.storage.local.LocalObjectStore"
)
TIERS = {
    "free": Tier(
        "free",
        upload_max_bytes=ENVIRONMENT.free_upload_max_bytes,
        retention=timedelta(seconds=ENVIRONMENT.free_retention_seconds),
        jobs_at_once=ENVIRONMENT.free_jobs_at_once,
        jobs_a_day=ENVIRONMENT.free_jobs_a_day,
        requests_a_minute=ENVIRONMENT.free_requests_a_minute,
        haplotype_aware=False,
        sharding_priority=0,
    ),
    "premium": Tier(
        "premium",
        upload_max_bytes=ENVIRONMENT.premium_upload_max_bytes,
        retention=None,
        jobs_at_once=ENVIRONMENT.premium_jobs_at_once,
        jobs_a_day=ENVIRONMENT.premium_jobs_a_day,
        requests_a_minute=ENVIRONMENT.premium_requests_a_minute,
        haplotype_aware=True,
        sharding_priority=10,
    ),
}
BILLING_GRACE = timedelta(days=ENVIRONMENT.grace_days)
STRIPE_API_KEY = ENVIRONMENT.stripe_api_key
STRIPE_IS_LIVE = "_live_" in STRIPE_API_KEY
STRIPE_IS_STANDIN = ENVIRONMENT.stripe_standin
STRIPE_STANDIN_URL = f"http://127.0.0.1:{ENVIRONMENT.stripe_standin_port}"
STRIPE_API_BASE = STRIPE_STANDIN_URL if STRIPE_IS_STANDIN else ""
STRIPE_WEBHOOK_SECRETS = ENVIRONMENT.stripe_webhook_secrets
STRIPE_PRICE = ENVIRONMENT.stripe_price
# Where forms of ours may lead besides this site: subscribing is a POST that is redirected to Stripe's pages,
# and logging in elsewhere one that is redirected to the provider's.
FORM_TARGETS = [
    *(
        [STRIPE_STANDIN_URL]
        if STRIPE_IS_STANDIN
        else ["https://checkout.stripe.com", "https://billing.stripe.com"]
        if STRIPE_API_KEY
        else []
    ),
    *sorted({origin for provider in ENVIRONMENT.openid_providers.values() for origin in provider.origins}),
]

# What a user may do, asked for by `annotations`, answered by `billing`.
JOB_LIMITS = "billing.tiers.limits_of"

# Cold storage: a bucket or a Glacier vault where one is named, else a folder of this machine.
if ENVIRONMENT.archive_bucket:
    COLD_STORAGE = "archival.storage.s3.S3Archive"
elif ENVIRONMENT.glacier_vault:
    COLD_STORAGE = "archival.storage.glacier.GlacierVault"
else:
    COLD_STORAGE = "archival.storage.local.LocalVault"
VAULT: dict[str, Any] = {
    "folder": (ENVIRONMENT.vault_dir or STATE_DIR / "vault").resolve(),
    "expedited_seconds": ENVIRONMENT.vault_expedited_seconds,
    "standard_seconds": ENVIRONMENT.vault_standard_seconds,
    "expedited_at_once": ENVIRONMENT.vault_expedited_at_once,
    "retrieved_kept_seconds": 24 * 3600,
}
ARCHIVE_BUCKET = ENVIRONMENT.archive_bucket
ARCHIVE_STORAGE_CLASS = ENVIRONMENT.archive_storage_class
GLACIER_VAULT = ENVIRONMENT.glacier_vault
GLACIER_TOPIC = ENVIRONMENT.glacier_topic
STORAGE_EVENTS_QUEUE = ENVIRONMENT.storage_events_queue

if ENVIRONMENT.mail_host:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = ENVIRONMENT.mail_host, ENVIRONMENT.mail_port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENVIRONMENT.mail_user, ENVIRONMENT.mail_password
    EMAIL_USE_TLS = ENVIRONMENT.mail_tls
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = STATE_DIR / "mail"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from

# Networks of our own that users may have asked, by webhooks and uploads by address.
OUTBOUND_ALLOWED = ENVIRONMENT.outbound_allowed
OUTBOUND_PORTS = ENVIRONMENT.outbound_ports

JOB_RESULTS_TOPIC = ENVIRONMENT.job_results_topic

ENGINE = "annotations.engine.annotate.annotate"
RESULT_CACHE_BYTES = ENVIRONMENT.result_cache_bytes
ENGINE_CORES = ENVIRONMENT.engine_cores
SCATTER_BYTES = ENVIRONMENT.scatter_bytes
SHARD_RECORDS = ENVIRONMENT.shard_records
LEASE_SECONDS = ENVIRONMENT.lease_seconds
RESEND_AFTER_SECONDS = ENVIRONMENT.resend_after_seconds

# Celery (gas_project/celery.py takes what begins with CELERY_).
# The embedded broker lets everybody in, and has a name and password made up so that nobody's AWS account can
# be meant; with another broker, boto3 finds the credentials where it always does.
BROKER_IS_EMBEDDED = not ENVIRONMENT.broker_url
BROKER_IS_AWS = (
    ENVIRONMENT.broker_url == "aws"
)  # then boto3 finds SQS and SNS itself, each at its own address
BROKER_ENDPOINT_URL = (
    "" if BROKER_IS_AWS else ENVIRONMENT.broker_url or f"http://127.0.0.1:{ENVIRONMENT.broker_port}"
)
CELERY_BROKER_URL = (
    "sqs://" + ("embedded:broker@" if BROKER_IS_EMBEDDED else "") + BROKER_ENDPOINT_URL.partition("//")[2]
)
CELERY_BROKER_TRANSPORT = "tasks.transport:Transport"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "is_secure": BROKER_IS_AWS or BROKER_ENDPOINT_URL.startswith("https:"),
    "queue_name_prefix": ENVIRONMENT.queue_prefix,
    "visibility_timeout": ENVIRONMENT.visibility_timeout_seconds,
    "wait_time_seconds": 5,
    "supports_fanout": True,  # events and remote control (tasks/fanout.py)
    # The pause after an answer without messages, for which SQS has waited already.
    "polling_interval": 0.05,
    "client-config": {"connect_timeout": 3, "read_timeout": 15, "retries": {"total_max_attempts": 2}},
    **({"region": "us-east-1"} if BROKER_IS_EMBEDDED else {}),
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Somebody waits for a page meanwhile, and the sweep will send what was not sent.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}
CELERY_TASK_QUEUES = QUEUES
CELERY_TASK_ROUTES = ROUTES
CELERY_TASK_DEFAULT_QUEUE = DEFAULT
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A task that breaks down is delivered again, and after `tasks.queues.TRIES` goes to the dead-letter queue.
CELERY_TASK_ACKS_ON_FAILURE = False
CELERY_TASK_ACKS_ON_TIMEOUT = False
CELERY_TASK_TIME_LIMIT = ENVIRONMENT.task_time_limit_seconds
# The task itself notices this one, and can say so in the job's record.
CELERY_TASK_SOFT_TIME_LIMIT = ENVIRONMENT.task_time_limit_seconds * 0.95
CELERY_TASK_ANNOTATIONS = TIME_LIMITS
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = ENVIRONMENT.worker_concurrency
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = ENVIRONMENT.remote_control
CELERY_WORKER_SEND_TASK_EVENTS = ENVIRONMENT.remote_control and ENVIRONMENT.task_events
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")
# A sweep that nobody has begun before the next is due would only repeat it.
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "tasks.sweep", "schedule": 60.0, "options": {"expires": 60}},
    "reconcile_billing": {"task": "tasks.reconcile_billing", "schedule": crontab(hour=3, minute=17)},
    "tidy": {"task": "tasks.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
}

FLOWER_PORT = ENVIRONMENT.flower_port
METRICS_TOKEN = ENVIRONMENT.metrics_token
METRICS_CLOUDWATCH = ENVIRONMENT.metrics_cloudwatch
# Where the processes of one machine count (PROMETHEUS_MULTIPROC_DIR).
METRICS_DIR = STATE_DIR / "run" / "metrics"
SENTRY_DSN = ENVIRONMENT.sentry_dsn

LOGGING = logging_config(as_json=ENVIRONMENT.log_json)
