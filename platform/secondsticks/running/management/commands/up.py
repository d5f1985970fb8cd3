"""`manage.py up`: run everything, until Ctrl-C."""

import os
from argparse import ArgumentParser, BooleanOptionalAction

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from secondsticks.running.sentences import CannotStart
from secondsticks.running.up import Up


class Command(BaseCommand):
    help = "Run the database (unless DATABASE_URL is set), the web server, the workers and the sweep."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
        parser.add_argument("--only", choices=["web", "worker"], help="run one half, for several machines")
        parser.add_argument("--workers", type=int, default=1, help="clips scanned at a time (%(default)s)")
        parser.add_argument(
            "--ml-backend", action=BooleanOptionalAction, default=settings.ML_BACKEND,
            help=f"serve Label Studio on port {settings.ML_PORT}; by default when a project is linked to one",
        )  # fmt: skip

    def handle(
        self,
        *,
        host: str,
        port: int,
        only: str | None,
        workers: int,
        ml_backend: bool | None,
        **options: object,
    ) -> None:
        if workers < 1:
            raise CommandError("--workers must be at least 1.")
        up = Up(settings.HOME, own_database=not os.environ.get("DATABASE_URL"))
        try:
            up.run(host=host, port=port, only=only, workers=workers, ml_backend=ml_backend)
        except CannotStart as sentence:
            self.stderr.write(str(sentence))
            raise SystemExit(1) from None
