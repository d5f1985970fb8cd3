"""`manage.py sweep`: look once, or forever, for work that fell through the cracks."""

import logging
import time
from argparse import ArgumentParser
from collections.abc import Callable

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connection
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)
LOCK = 0x5EC0  # any number; one sweep at a time among all machines on this database


def sweep_once(sweeps: list[Callable[[], None]]) -> None:
    """Run every sweep, unless another machine is at it. One that fails does not hold up the others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            return
        try:
            for sweep in sweeps:
                try:
                    sweep()
                except Error:
                    raise
                except Exception:
                    logger.exception("%s.%s failed", sweep.__module__, sweep.__qualname__)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


class Command(BaseCommand):
    help = "Run every function of settings.SWEEPS: once, or every SWEEP_SECONDS with --forever."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forever", action="store_true")

    def handle(self, *, forever: bool, **options: object) -> None:
        sweeps = [import_string(name) for name in settings.SWEEPS]
        if not forever:
            sweep_once(sweeps)
        while forever:
            try:
                close_old_connections()
                sweep_once(sweeps)
            except Error as error:
                logger.warning("sweep put off: %s", error)
                connection.close()
            time.sleep(settings.SWEEP_SECONDS)
