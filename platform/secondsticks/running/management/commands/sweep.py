"""`manage.py sweep`: look once, or forever, for work that fell through the cracks."""

import logging
import time
from argparse import ArgumentParser
from collections.abc import Callable

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, OperationalError, close_old_connections, connection
from django.utils.module_loading import import_string

from secondsticks.running.locks import Lock, held_if_free

logger = logging.getLogger(__name__)


def sweep_once(sweeps: list[Callable[[], None]]) -> None:
    """Run every sweep, unless another machine is at it. One that fails does not hold up the others."""
    with held_if_free(Lock.SWEEP) as ours:
        for sweep in sweeps if ours else []:
            try:
                sweep()
            except OperationalError:  # the database went away: the others cannot do better
                raise
            except Exception:
                logger.exception("%s.%s failed", sweep.__module__, sweep.__qualname__)


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
