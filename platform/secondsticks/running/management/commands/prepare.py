"""`manage.py prepare`: bring the database up to date and let the first person in. For every start."""

import json
import os
import secrets
from argparse import ArgumentParser

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from secondsticks.running.locks import Lock, held

ADMIN = "admin"
PASSWORD_VARIABLE = "SECONDSTICKS_ADMIN_PASSWORD"


def migrate_if_pending() -> bool:
    """Apply migrations, if there are any, and say whether there were."""
    executor = MigrationExecutor(connection)
    pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        call_command("migrate", verbosity=0, interactive=False)
    return pending


def make_first_admin() -> str | None:
    """Make the person `admin` if nobody is there yet, and return the password if it was made up here."""
    people = get_user_model()
    if people.objects.exists():
        return None
    given = os.environ.get(PASSWORD_VARIABLE, "")
    if given:
        try:
            validate_password(given)
        except ValidationError as error:
            raise CommandError(f"{PASSWORD_VARIABLE}: {' '.join(error.messages)}") from None
    password = given or secrets.token_urlsafe(12)
    people.objects.create_superuser(ADMIN, password=password)
    return None if given else password


def wants_demo() -> bool:
    """Say whether the demo project is due: nobody has signed in yet and there is no project."""
    signed_in = get_user_model().objects.exclude(last_login=None).exists()
    return not signed_in and not apps.get_model("footage", "Project").objects.exists()


def needs_ml_backend() -> bool:
    """Say whether a project is linked to a Label Studio that asks the ML backend."""
    return any(import_string(name)() for name in settings.ML_BACKEND_NEEDED)


class Command(BaseCommand):
    help = "Migrate when migrations are pending, make the first admin, and (--demo) the demo project."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="make the demo project on the first start")

    def handle(self, *, demo: bool, **options: object) -> None:
        try:
            with held(Lock.PREPARE):  # machines that start together do this one after the other
                migrated = migrate_if_pending()
                password = make_first_admin()
                if demo and wants_demo():
                    import_string(settings.DEMO)()
                needed = needs_ml_backend()
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {str(error).strip().splitlines()[0]}"
            ) from None
        prepared = {"migrated": migrated, "admin_password": password, "needs_ml_backend": needed}
        self.stdout.write(json.dumps(prepared))
