"""Fixtures for every test that meets Django."""

import time
from collections.abc import Callable, Iterator

import dramatiq
import pytest

pytest_plugins = ["tests.chromium", "tests.people", "tests.s3_server", "tests.workers"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: str) -> None:
    """Start the server when pytest-django first needs it, and let it use the database the broker uses."""
    from django.conf import settings
    from django.db import connections

    # Quick ones, for every fixture of a person makes one.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    database = connections["default"].settings_dict
    database["TEST"]["NAME"] = database["NAME"]


@pytest.fixture
def run_jobs(transactional_db: None) -> Iterator[Callable[[], None]]:
    """Return a function that works through all queued jobs with a real worker on the real broker.

    It returns when the queues are empty; a job that fails is retried as in production.
    """
    from django.utils.module_loading import autodiscover_modules
    from dramatiq_postgres.django.models import Job

    autodiscover_modules("tasks")
    Job.objects.all().delete()
    worker = dramatiq.Worker(dramatiq.get_broker(), worker_threads=2, worker_timeout=50)
    worker.start()

    def work() -> None:
        while Job.objects.exclude(state=Job.REJECTED).exists():
            time.sleep(0.02)

    yield work
    worker.stop()
    Job.objects.all().delete()
